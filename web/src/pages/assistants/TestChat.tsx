import { ActionIcon, Alert, Button, Group, Text, Textarea, Title } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { type KeyboardEvent, type SubmitEvent, useEffect, useRef, useState } from "react";
import Markdown from "react-markdown";
import remarkGfm from "remark-gfm";
import { ErrorNote } from "../../components/ErrorNote";
import { useLanguage, useMessages } from "../../i18n";
import classes from "./assistants.module.css";
import { type Agent, type Draft, needsSaving } from "./draft";
import { type Turn, useTest } from "./useTest";

interface Props {
  agent: Agent;
  draft: Draft;
  changes: Partial<Draft>;
  onSave: () => Promise<unknown>;
}

/** Talks with the assistant as it is set beside it: tone at once, all else once the question has saved it. */
export function TestChat({ agent, draft, changes, onSave }: Props) {
  const t = useMessages();
  const test = useTest(agent.assistant_key);
  const [text, setText] = useState("");
  const [error, setError] = useState<unknown>(null);
  const isDirty = needsSaving(changes);
  const end = useRef<HTMLDivElement>(null);
  const last = test.turns.at(-1);
  useEffect(() => {
    const box = end.current?.parentElement;
    box?.scrollTo({ top: box.scrollHeight });
  }, [test.turns.length, last?.answer]);
  const ask = async () => {
    const question = text.trim();
    if (!question || test.isBusy) return;
    setError(null);
    try {
      if (isDirty) await onSave();
      setText("");
      await test.ask(question, draft.persona);
    } catch (thrown) {
      setError(thrown);
    }
  };
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    void ask();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void ask();
  };
  return (
    <section className={classes.chat} aria-labelledby="try-it">
      <Group justify="space-between" className={classes.chatTop} wrap="nowrap">
        <Title order={2} fz="md" id="try-it">
          {t("assistants.tryIt")}
        </Title>
        <ActionIcon variant="subtle" aria-label={t("assistants.startOver")} onClick={test.reset}>
          <IconRefresh size={18} aria-hidden />
        </ActionIcon>
      </Group>
      <div className={classes.said} role="log" aria-label={t("assistants.tryIt")} tabIndex={0}>
        {!draft.greeting && test.turns.length === 0 && (
          <Text fz="sm" c="dimmed">
            {t("assistants.tryHint")}
          </Text>
        )}
        {draft.greeting && <div className={classes.turn}>{draft.greeting}</div>}
        {test.turns.map((turn) => (
          <Said key={turn.key} turn={turn} />
        ))}
        {!agent.is_active && <Alert color="orange">{t("assistants.cannotBeAsked")}</Alert>}
        <ErrorNote error={error} />
        <div ref={end} />
      </div>
      <form onSubmit={submitted} className={classes.chatFoot}>
        <Textarea
          aria-label={t("assistants.question")}
          placeholder={t("assistants.questionPlaceholder")}
          autosize
          minRows={1}
          maxRows={6}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={pressed}
        />
        <Group justify="space-between" wrap="nowrap">
          <Text fz="xs" c="dimmed">
            {isDirty ? t("assistants.willSave") : Object.keys(changes).length > 0 ? t("assistants.toneAtOnce") : ""}
          </Text>
          <Button type="submit" size="sm" loading={test.isBusy} disabled={!text.trim() || !agent.is_active}>
            {t(isDirty ? "assistants.saveAndAsk" : "assistants.ask")}
          </Button>
        </Group>
      </form>
    </section>
  );
}

function Said({ turn }: { turn: Turn }) {
  const t = useMessages();
  const { language } = useLanguage();
  const sure = turn.confidence?.toLocaleString(language, { style: "percent" });
  return (
    <>
      <div className={classes.turn} data-by="user">
        {turn.question}
      </div>
      <div className={classes.turn}>
        <Markdown remarkPlugins={[remarkGfm]} disallowedElements={["img"]}>
          {turn.answer || (turn.isDone ? "" : "…")}
        </Markdown>
        {turn.isDone && (
          <Text fz="xs" c="dimmed" mt={6}>
            {[...turn.sources, sure && t("assistants.sure", { sure })].filter(Boolean).join(" · ")}
          </Text>
        )}
      </div>
    </>
  );
}
