import { useQuery } from "@tanstack/react-query";
import { api, ok, type Schemas } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";
import { Chart } from "./Chart";
import { useNumbers } from "./numbers";
import { Bars } from "./pictures";

/** Who is asked how much. */
export function ByAssistant({ turns }: { turns: Schemas["TurnCounts"] }) {
  const t = useMessages();
  const { count, percent } = useNumbers();
  const rows = turns.by_assistant.slice(0, 12);
  return (
    <Chart
      title={t("insight.byAssistant")}
      text={t("insight.byAssistantText")}
      rows={rows}
      isEmpty={rows.length === 0}
      columns={[
        { label: t("insight.assistant"), value: (row) => row.assistant_key },
        { label: t("insight.turns"), value: (row) => count(row.turns) },
        { label: t("insight.unanswered"), value: (row) => count(row.unanswered) },
        { label: t("insight.confidence"), value: (row) => (row.confidence === null ? "–" : percent(row.confidence, 1)) },
      ]}
    >
      <Bars rows={rows} series={[{ key: "turns", label: t("insight.turns") }]} at="assistant_key" write={count} isLying />
    </Chart>
  );
}

/** What it came to, by provider; of one assistant where it is chosen. */
export function Costs({ days, assistant }: { days: string[]; assistant: string | null }) {
  const t = useMessages();
  const { dollars, count } = useNumbers();
  const query = { since: days[0]!, until: days.at(-1)!, scope: "own" as const };
  const costs = useQuery({ queryKey: ["insight", "costs", query], queryFn: () => ok(api.GET("/admin/costs", { params: { query } })) });
  if (costs.error) return <ErrorNote error={costs.error} onRetry={() => void costs.refetch()} />;
  const of = assistant === null ? costs.data?.by_provider : pick(costs.data?.by_assistant, assistant);
  const rows = Object.entries(of ?? {}).map(([name, cost]) => ({ name, cost: Number(cost.cost_usd), calls: cost.calls }));
  return (
    <Chart
      title={t("insight.costs")}
      text={t(assistant === null ? "insight.costsText" : "insight.costsOfAssistant")}
      rows={rows}
      isEmpty={rows.length === 0}
      columns={[
        { label: t(assistant === null ? "insight.provider" : "insight.assistant"), value: (row) => row.name },
        { label: t("insight.cost"), value: (row) => dollars(row.cost) },
        { label: t("insight.calls"), value: (row) => count(row.calls) },
      ]}
    >
      <Bars rows={rows} series={[{ key: "cost", label: t("insight.cost") }]} at="name" write={dollars} isLying />
    </Chart>
  );
}

function pick(found: Record<string, Schemas["Cost"]> | undefined, key: string): Record<string, Schemas["Cost"]> {
  const one = found?.[key];
  return one ? { [key]: one } : {};
}
