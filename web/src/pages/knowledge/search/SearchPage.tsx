import { Button, Group, Select, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useSearchParams } from "react-router";
import { api, ok, type Schemas } from "../../../api/client";
import { Empty } from "../../../components/Empty";
import { ErrorNote } from "../../../components/ErrorNote";
import { Loading } from "../../../components/Loading";
import { Page } from "../../../components/Page";
import { useMessages } from "../../../i18n";
import classes from "../knowledge.module.css";
import { Tabs } from "../Tabs";
import { useAssistants } from "../useAssistants";
import { Hit } from "./Hit";

const MODES = ["fused", "vector", "bm25"] as const;
type Mode = (typeof MODES)[number];
const SHOWN = 10;

/** By mode, where each passage ranks: 1 is best. */
export type Ranks = Readonly<Record<Mode, ReadonlyMap<number, number>>>;

/** Asks a question of the three rankings, and shows them beside each other. */
export default function SearchPage() {
  const t = useMessages();
  const [params, setParams] = useSearchParams();
  const asked = params.get("q") ?? "";
  const assistant = params.get("assistant");
  const [question, setQuestion] = useState(asked);
  const assistants = useAssistants();
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setParams((before) => (before.set("q", question.trim()), before));
  };
  return (
    <Page title={t("knowledge.title")} text={t("knowledge.searchText")}>
      <Tabs />
      <form onSubmit={submitted} role="search">
        <Group gap="xs">
          <TextInput
            flex="3 1 16rem"
            aria-label={t("knowledge.question")}
            placeholder={t("knowledge.questionPlaceholder")}
            maxLength={4000}
            value={question}
            onChange={(event) => setQuestion(event.currentTarget.value)}
          />
          <Select
            flex="1 1 10rem"
            aria-label={t("knowledge.assistant")}
            placeholder={t("knowledge.anyAssistant")}
            data={assistants}
            clearable
            value={assistant}
            onChange={(value) => setParams((before) => (value ? before.set("assistant", value) : before.delete("assistant"), before))}
          />
          <Button type="submit" disabled={!question.trim()}>
            {t("common.search")}
          </Button>
        </Group>
      </form>
      {asked ? <Rankings question={asked} assistant={assistant} /> : <Empty icon={IconSearch} title={t("knowledge.tryIt")} text={t("knowledge.tryItText")} />}
    </Page>
  );
}

function Rankings({ question, assistant }: { question: string; assistant: string | null }) {
  const t = useMessages();
  const [same, setSame] = useState<number | null>(null);
  const found = useQuery({
    queryKey: ["search", question, assistant],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => Promise.all(MODES.map((mode) => ranking(question, assistant, mode, signal))),
  });
  if (found.error) return <ErrorNote error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  const ranks = Object.fromEntries(MODES.map((mode, index) => [mode, ranksOf(found.data[index]!)])) as unknown as Ranks;
  return (
    <div className={classes.rankings} aria-busy={found.isFetching}>
      {MODES.map((mode, index) => (
        <section key={mode} aria-labelledby={`ranking-${mode}`}>
          <Title order={2} fz="md" mb="xs" id={`ranking-${mode}`}>
            {t(`knowledge.${mode}`)}
          </Title>
          <div className={classes.panel}>
            {found.data[index]!.length === 0 && <Empty title={t("knowledge.nothingFound")} />}
            <ol className={classes.hits}>
              {found.data[index]!.map((passage) => (
                <Hit key={passage.chunk_id} passage={passage} mode={mode} ranks={ranks} isSame={same === passage.chunk_id} onLook={setSame} />
              ))}
            </ol>
          </div>
        </section>
      ))}
    </div>
  );
}

async function ranking(question: string, assistant: string | null, mode: Mode, signal: AbortSignal): Promise<Schemas["FoundPassage"][]> {
  const query = { query: question, mode, limit: SHOWN, ...(assistant ? { assistant_key: assistant } : {}) };
  return (await ok(api.GET("/api/knowledge/search", { params: { query }, signal }))).passages;
}

/** Returns at which place each passage stands, by its chunk's id. */
export function ranksOf(passages: readonly Pick<Schemas["FoundPassage"], "chunk_id">[]): ReadonlyMap<number, number> {
  return new Map(passages.map(({ chunk_id }, index) => [chunk_id, index + 1]));
}
