import { Button, Group, Modal, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconCircleCheck, IconSearch } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { Link } from "react-router";
import { body } from "../../api/body";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { useRows } from "../../api/pages";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Page } from "../../components/Page";
import { RowList } from "../../components/RowList";
import { useTold } from "../../components/useTold";
import { useMessages } from "../../i18n";
import classes from "./knowledge.module.css";
import { Tabs } from "./Tabs";

type Question = Schemas["UnansweredView"];
const STATES = ["open", "answered", "dismissed"] as const;
const PAGE = 50;

/** Questions that nothing answered: each is answered with one click, and that word for word from then on. */
export default function Unanswered() {
  const t = useMessages();
  const [state, setState] = useState<(typeof STATES)[number]>("open");
  const [text, setText] = useState("");
  const [q] = useDebouncedValue(text.trim(), 250);
  const [asked, setAsked] = useState<Question | null>(null);
  const rows = useRows(["unanswered", state, q], async (after, signal) => {
    const query = { limit: PAGE, state, ...(q ? { q } : {}), ...(after ? { after } : {}) };
    const page = await ok(api.GET("/api/knowledge/unanswered", { params: { query }, signal }));
    return { rows: page.questions, next: page.next };
  });
  return (
    <Page title={t("knowledge.title")} text={t("knowledge.unansweredText")}>
      <Tabs />
      <Group gap="sm">
        <SegmentedControl
          aria-label={t("knowledge.state")}
          value={state}
          onChange={(value) => setState(value as typeof state)}
          data={STATES.map((value) => ({ value, label: t(`knowledge.${value}Questions`) }))}
        />
        <TextInput
          flex="1 1 14rem"
          aria-label={t("common.search")}
          placeholder={t("common.search")}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      </Group>
      <RowList
        rows={rows}
        rowKey={(row) => row.id}
        label={t("knowledge.unanswered")}
        guessPx={88}
        empty={<Empty icon={IconCircleCheck} title={t(q ? "knowledge.nothingFound" : "knowledge.noQuestions")} text={t("knowledge.noQuestionsText")} />}
      >
        {(row) => <QuestionRow question={row} onAnswer={setAsked} />}
      </RowList>
      {asked && <Answer question={asked} onClose={() => setAsked(null)} />}
    </Page>
  );
}

function QuestionRow({ question, onAnswer }: { question: Question; onAnswer: (question: Question) => void }) {
  const t = useMessages();
  const told = useTold();
  const { can } = useMe();
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (state: Question["state"]) => ok(api.PATCH("/api/knowledge/unanswered/{id}", { params: { path: { id: question.id } }, body: { state } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["unanswered"] }),
    onError: told,
  });
  const nearest = question.nearest[0]?.filename;
  return (
    <article className={classes.entry}>
      <div>
        <Text fz="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
          {question.question}
        </Text>
        <Text fz="xs" c="dimmed">
          {t("knowledge.asked", { count: question.count })} · <DateTime at={question.last_asked_at} /> · {t(`knowledge.reason_${question.reason}`)}
          {typeof nearest === "string" && ` · ${t("knowledge.nearest", { name: nearest })}`}
        </Text>
      </div>
      {can("ai:write") && (
        <Group gap="xs">
          {question.state === "open" ? (
            <>
              <Button size="compact-sm" onClick={() => onAnswer(question)}>
                {t("knowledge.answerIt")}
              </Button>
              <Button size="compact-sm" variant="default" component={Link} to={`/app/knowledge/search?q=${encodeURIComponent(question.question)}`}>
                {t("knowledge.seeFound")}
              </Button>
              <Button size="compact-sm" variant="default" loading={change.isPending} onClick={() => change.mutate("dismissed")}>
                {t("knowledge.dismiss")}
              </Button>
            </>
          ) : (
            <Button size="compact-sm" variant="default" loading={change.isPending} onClick={() => change.mutate("open")}>
              {t("knowledge.openAgain")}
            </Button>
          )}
        </Group>
      )}
    </article>
  );
}

function Answer({ question, onClose }: { question: Question; onClose: () => void }) {
  const t = useMessages();
  const client = useQueryClient();
  const [asked, setAsked] = useState(question.question);
  const [response, setResponse] = useState("");
  const act = useMutation({
    mutationFn: () =>
      ok(
        api.POST("/api/knowledge/unanswered/{id}/answer", {
          params: { path: { id: question.id } },
          body: body<Schemas["UnansweredAnswer"]>({ question: asked.trim(), response: response.trim() }),
        }),
      ),
    onSuccess: async () => {
      notifications.show({ message: t("knowledge.answeredNote") });
      onClose();
      await client.invalidateQueries({ queryKey: ["unanswered"] });
    },
  });
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <Modal opened onClose={onClose} size="lg" title={t("knowledge.answerIt")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={act.error} />
          <Textarea label={t("knowledge.question")} required autosize maxLength={2_000} value={asked} onChange={(event) => setAsked(event.currentTarget.value)} />
          <Textarea
            label={t("knowledge.answer")}
            description={t("knowledge.answerHint")}
            required
            data-autofocus
            autosize
            minRows={5}
            maxRows={16}
            maxLength={8_000}
            value={response}
            onChange={(event) => setResponse(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={act.isPending} disabled={!asked.trim() || !response.trim()}>
              {t("common.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
