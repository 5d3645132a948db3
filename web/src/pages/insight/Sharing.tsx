import { useQuery } from "@tanstack/react-query";
import { api, ok, type Schemas } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";
import { Chart } from "./Chart";
import { costByDay } from "./figures";
import { useNumbers } from "./numbers";
import { Bars } from "./pictures";

const MOST_SHOWN = 12;

/** Who is asked how much, and how much of it could be answered. */
export function ByAssistant({ turns, names }: { turns: Schemas["TurnCounts"]; names: ReadonlyMap<string, string> }) {
  const t = useMessages();
  const { count, percent } = useNumbers();
  const rows = turns.by_assistant.slice(0, MOST_SHOWN).map((each) => ({
    ...each,
    name: names.get(each.assistant_key) ?? each.assistant_key,
    others: Math.max(0, each.completed - each.unanswered),
  }));
  return (
    <Chart
      title={t("insight.byAssistant")}
      text={t("insight.byAssistantText")}
      rows={rows}
      isEmpty={rows.length === 0}
      columns={[
        { label: t("insight.assistant"), value: (row) => row.name },
        { label: t("insight.turns"), value: (row) => count(row.turns) },
        { label: t("insight.unanswered"), value: (row) => count(row.unanswered) },
        { label: t("insight.confidence"), value: (row) => (row.confidence === null ? "–" : percent(row.confidence, 1)) },
      ]}
    >
      <Bars
        rows={rows}
        series={[
          { key: "others", label: t("insight.completed") },
          { key: "unanswered", label: t("insight.unanswered") },
        ]}
        at="name"
        write={count}
        isLying
        isWhole
      />
    </Chart>
  );
}

interface CostsProps {
  query: { since: string; until: string; assistant_key: string | null };
  days: readonly string[];
}

/** What it came to, by day and by provider; of one assistant where it is chosen. */
export function Costs({ query, days }: CostsProps) {
  const t = useMessages();
  const { dollars, count } = useNumbers();
  const costs = useQuery({
    queryKey: ["insight", "costs", query],
    queryFn: () => ok(api.GET("/admin/costs", { params: { query: { ...query, scope: "own" } } })),
  });
  if (costs.error) return <ErrorNote error={costs.error} onRetry={() => void costs.refetch()} />;
  const isFree = Number(costs.data?.total.cost_usd ?? 0) === 0;
  const byDay = costByDay(days, costs.data?.by_day ?? {});
  const byProvider = Object.entries(costs.data?.by_provider ?? {}).map(([name, cost]) => ({ name, cost: Number(cost.cost_usd), calls: cost.calls }));
  const series = [{ key: "cost", label: t("insight.cost") }];
  return (
    <>
      <Chart
        title={t("insight.costsByDay")}
        text={t("insight.costsByDayText")}
        rows={byDay}
        isEmpty={isFree}
        emptyText={t("insight.noCosts")}
        columns={[
          { label: t("insight.day"), value: (row) => row.day },
          { label: t("insight.cost"), value: (row) => dollars(row.cost) },
          { label: t("insight.calls"), value: (row) => count(row.calls) },
        ]}
      >
        <Bars rows={byDay} series={series} at="day" write={dollars} />
      </Chart>
      <Chart
        title={t("insight.costs")}
        text={t("insight.costsText")}
        rows={byProvider}
        isEmpty={isFree}
        emptyText={t("insight.noCosts")}
        columns={[
          { label: t("insight.provider"), value: (row) => row.name },
          { label: t("insight.cost"), value: (row) => dollars(row.cost) },
          { label: t("insight.calls"), value: (row) => count(row.calls) },
        ]}
      >
        <Bars rows={byProvider} series={series} at="name" write={dollars} isLying />
      </Chart>
    </>
  );
}
