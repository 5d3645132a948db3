import { Group, NativeSelect, SegmentedControl } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { api, ok } from "../../api/client";
import { useMe } from "../../api/me";
import { Loading } from "../../components/Loading";
import { Page } from "../../components/Page";
import { useMessages } from "../../i18n";
import { daysOf, type Range, RANGES } from "./figures";

const Charts = lazy(() => import("./Charts"));

/** What happened with whom, when: the charts of an organisation. */
export default function Insight() {
  const t = useMessages();
  const { can } = useMe();
  const [range, setRange] = useState<Range>("30");
  const [assistant, setAssistant] = useState("");
  const [now] = useState(Date.now);
  const assistants = useQuery({
    queryKey: ["agents", "names"],
    placeholderData: keepPreviousData,
    queryFn: () => ok(api.GET("/api/agents", { params: { query: { limit: 200 } } })),
  });
  const days = daysOf(range, now);
  const named = assistants.data?.agents ?? [];
  return (
    <Page
      title={t("insight.title")}
      text={t("insight.text")}
      actions={
        <Group gap="xs">
          <NativeSelect
            aria-label={t("insight.assistant")}
            value={assistant}
            onChange={(event) => setAssistant(event.currentTarget.value)}
            data={[{ value: "", label: t("insight.allAssistants") }, ...named.map(({ assistant_key, name }) => ({ value: assistant_key, label: name }))]}
          />
          <SegmentedControl
            aria-label={t("insight.range")}
            value={range}
            onChange={(value) => setRange(value as Range)}
            data={RANGES.map((value) => ({ value, label: t("insight.days", { count: Number(value) }) }))}
          />
        </Group>
      }
    >
      <Suspense fallback={<Loading />}>
        <Charts days={days} assistant={assistant || null} names={new Map(named.map(({ assistant_key, name }) => [assistant_key, name]))} seesCosts={can("tenant:admin")} />
      </Suspense>
    </Page>
  );
}
