import { Group, SegmentedControl, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Figure, Figures, Panel } from "../../components/Panel";
import { useLanguage, useMessages } from "../../i18n";

type Scope = "own" | "all";
const PARTS = ["by_provider", "by_model", "by_kind", "by_assistant", "by_tenant", "by_day"] as const;

/** What providers cost this month: one's own organisation, or all of them for the operator. */
export function Costs() {
  const t = useMessages();
  const { language } = useLanguage();
  const { can } = useMe();
  const [scope, setScope] = useState<Scope>("own");
  const costs = useQuery({
    queryKey: ["costs", scope],
    queryFn: () => ok(api.GET("/admin/costs", { params: { query: { scope } } })),
  });
  const found = costs.data;
  const dollars = (value: number) => value.toLocaleString(language, { style: "currency", currency: "USD", maximumFractionDigits: 4 });
  const count = (value: number) => value.toLocaleString(language);
  return (
    <>
      {can("operate") && (
        <Group>
          <SegmentedControl
            aria-label={t("admin.scope")}
            value={scope}
            onChange={(value) => setScope(value as Scope)}
            data={[
              { value: "own", label: t("admin.scope_own") },
              { value: "all", label: t("admin.scope_all") },
            ]}
          />
        </Group>
      )}
      <ErrorNote error={costs.error} onRetry={() => void costs.refetch()} />
      {!found && !costs.error && <Loading />}
      {found && (
        <>
          <Figures>
            <Figure label={t("admin.costs")} number={dollars(Number(found.total.cost_usd))} hint={`${found.since} – ${found.until}`} />
            <Figure label={t("admin.calls")} number={count(found.total.calls)} />
            <Figure label={t("admin.tokens")} number={count(found.total.input_tokens + found.total.output_tokens)} />
            <Figure label={t("admin.seconds")} number={count(Math.round(found.total.seconds))} />
          </Figures>
          {found.total.calls === 0 && <Empty title={t("admin.noCosts")} text={t("admin.noCostsText")} />}
          {PARTS.filter((part) => Object.keys(found[part]).length > 0).map((part) => (
            <Panel key={part} title={t(`admin.${part}`)} isList>
              <Sums rows={Object.entries(found[part])} dollars={dollars} count={count} />
            </Panel>
          ))}
        </>
      )}
    </>
  );
}

function Sums({ rows, dollars, count }: { rows: [string, Schemas["Cost"]][]; dollars: (value: number) => string; count: (value: number) => string }) {
  const t = useMessages();
  return (
    <Table.ScrollContainer minWidth={420} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table verticalSpacing="sm" horizontalSpacing="lg">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("admin.what")}</Table.Th>
            <Table.Th ta="right">{t("admin.calls")}</Table.Th>
            <Table.Th ta="right">{t("admin.tokens")}</Table.Th>
            <Table.Th ta="right">{t("admin.costs")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([name, cost]) => (
            <Table.Tr key={name}>
              <Table.Td>{name || "–"}</Table.Td>
              <Table.Td ta="right">{count(cost.calls)}</Table.Td>
              <Table.Td ta="right">{count(cost.input_tokens + cost.output_tokens)}</Table.Td>
              <Table.Td ta="right">{dollars(Number(cost.cost_usd))}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
