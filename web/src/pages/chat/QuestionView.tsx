import { Button, Group, Textarea } from "@mantine/core";
import { IconFile, IconMicrophone, IconPencil } from "@tabler/icons-react";
import { type KeyboardEvent, useState } from "react";
import { useMessages } from "../../i18n";
import { CopyIcon } from "./CopyIcon";
import type { Exchange } from "./exchange";
import { IconButton } from "./IconButton";
import classes from "./thread.module.css";

interface Props {
  exchange: Exchange;
  isBusy: boolean;
  onAsk: (question: string) => void;
}

/** A question as it was asked; it may be written otherwise and asked again. */
export function QuestionView({ exchange, isBusy, onAsk }: Props) {
  const t = useMessages();
  const [draft, setDraft] = useState<string | null>(null);
  const ask = () => {
    if (!draft?.trim() || isBusy) return;
    setDraft(null);
    onAsk(draft.trim());
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      setDraft(null);
    } else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      ask();
    }
  };
  if (draft !== null)
    return (
      <div className={classes.editing}>
        <Textarea
          aria-label={t("chat.editQuestion")}
          dir="auto"
          autosize
          autoFocus
          minRows={1}
          maxRows={10}
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={pressed}
        />
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={() => setDraft(null)}>
            {t("common.cancel")}
          </Button>
          <Button size="xs" onClick={ask} disabled={!draft.trim() || isBusy}>
            {t("chat.ask")}
          </Button>
        </Group>
      </div>
    );
  return (
    <div className={classes.asked}>
      {exchange.files.length > 0 && (
        <ul className={classes.askedFiles} aria-label={t("chat.files")}>
          {exchange.files.map((file) => (
            <li key={file.document_id}>
              <IconFile size={14} aria-hidden /> <span>{file.filename}</span>
            </li>
          ))}
        </ul>
      )}
      <div className={classes.askedActions}>
        {exchange.question && <CopyIcon text={exchange.question} label={t("chat.copyQuestion")} />}
        <IconButton label={t("chat.editQuestion")} icon={IconPencil} onClick={() => setDraft(exchange.question)} disabled={isBusy} />
      </div>
      <h2 className={classes.question} dir="auto">
        {exchange.spoken && <IconMicrophone size={15} aria-label={t("chat.spoken")} className={classes.mic} />}
        {exchange.question || t("chat.notWritten")}
      </h2>
    </div>
  );
}
