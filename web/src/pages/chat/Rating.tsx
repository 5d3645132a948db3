import { Button, Group, Popover, Stack, Textarea } from "@mantine/core";
import { IconThumbDown, IconThumbDownFilled, IconThumbUp, IconThumbUpFilled } from "@tabler/icons-react";
import { useState } from "react";
import { api } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";
import type { Exchange } from "./exchange";
import { IconButton } from "./IconButton";

const MAX_COMMENT_CHARS = 4000;

/** Thumbs up or down, counted at once; then one may say why. */
export function Rating({ exchange, onChange }: { exchange: Exchange; onChange: (exchange: Exchange, what: Partial<Exchange>) => void }) {
  const t = useMessages();
  const [isAsked, setAsked] = useState(false);
  const [comment, setComment] = useState(exchange.comment ?? "");
  const [error, setError] = useState<unknown>(null);
  const { turnId, rating } = exchange;
  if (!turnId) return null;
  const say = async (next: -1 | 1, why: string | null) => {
    setError(null);
    try {
      await api.POST("/api/chat/feedback", { body: { turn_id: turnId, rating: next, scale: "thumbs", comment: why || null, tenant_id: null, user_id: null } });
      onChange(exchange, { rating: next, comment: why });
      return true;
    } catch (thrown) {
      setError(thrown);
      return false;
    }
  };
  const rate = (next: -1 | 1) => {
    setAsked(true);
    void say(next, comment);
  };
  const explain = async () => {
    if (await say(rating === 1 ? 1 : -1, comment.trim())) setAsked(false);
  };
  return (
    <Popover opened={isAsked} onChange={setAsked} position="top" width={300} shadow="md" trapFocus returnFocus withRoles={false}>
      <Popover.Target>
        <Group gap={4}>
          <IconButton
            label={t("chat.good")}
            icon={rating === 1 ? IconThumbUpFilled : IconThumbUp}
            aria-pressed={rating === 1}
            onClick={() => rate(1)}
          />
          <IconButton
            label={t("chat.bad")}
            icon={rating === -1 ? IconThumbDownFilled : IconThumbDown}
            aria-pressed={rating === -1}
            onClick={() => rate(-1)}
          />
        </Group>
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label={t("chat.feedback")}>
        <Stack gap="xs">
          <Textarea
            label={t(rating === 1 ? "chat.whyGood" : "chat.whyBad")}
            description={t("chat.thanks")}
            autosize
            minRows={2}
            maxRows={6}
            maxLength={MAX_COMMENT_CHARS}
            value={comment}
            onChange={(event) => setComment(event.currentTarget.value)}
          />
          <ErrorNote error={error} />
          <Group justify="flex-end" gap="xs">
            <Button size="xs" variant="default" onClick={() => setAsked(false)}>
              {t("common.close")}
            </Button>
            <Button size="xs" onClick={explain} disabled={!comment.trim()}>
              {t("chat.sendFeedback")}
            </Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
