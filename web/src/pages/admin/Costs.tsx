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
const NAMES = 200;
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
  const names = useTenantNames(Object.keys(found?.by_tenant ?? {}));
  const named: Partial<Record<(typeof PARTS)[number], (key: string) => string>> = {
    by_tenant: (id) => names?.get(id) ?? (names ? t("admin.gone", { id }) : id),
    by_kind: (kind) => (isKind(kind) ? t(`admin.kind_${kind}`) : kind),
    by_day: (day) => dayOf(day, language),
  };
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
            <Figure label={t("admin.costs")} number={dollars(Number(found.total.cost_usd))} hint={`${dayOf(found.since, language)} – ${dayOf(found.until, language)}`} />
            <Figure label={t("admin.calls")} number={count(found.total.calls)} />
            <Figure label={t("admin.tokens")} number={count(found.total.input_tokens + found.total.output_tokens)} />
            <Figure label={t("admin.seconds")} number={count(Math.round(found.total.seconds))} />
          </Figures>
          {found.total.calls === 0 && <Empty title={t("admin.noCosts")} text={t("admin.noCostsText")} />}
          {PARTS.filter((part) => Object.keys(found[part]).length > 0).map((part) => (
            <Panel key={part} title={t(`admin.${part}`)} isList>
              <Sums rows={Object.entries(found[part]).map(([key, cost]) => [named[part]?.(key) ?? key, cost])} dollars={dollars} count={count} />
            </Panel>
          ))}
        </>
      )}
    </>
  );
}

/** Returns what the organisations of these ids are called, once that is known; those that are deleted are left out. */
function useTenantNames(ids: readonly string[]): ReadonlyMap<string, string> | undefined {
  return useQuery({
    queryKey: ["tenants", "names", ids],
    enabled: ids.length > 0,
    queryFn: async () => {
      const names = new Map<string, string>();
      let after: string | null = null;
      do {
        const page: Schemas["TenantPage"] = await ok(api.GET("/api/tenants", { params: { query: { limit: NAMES, after } } }));
        for (const { tenant_id, organization_name } of page.tenants) names.set(tenant_id, organization_name);
        after = page.next ?? null;
      } while (after && ids.some((id) => !names.has(id)));
      return names;
    },
  }).data;
}

const KINDS = ["chat", "embedding", "transcription", "speech"] as const;
const isKind = (kind: string): kind is (typeof KINDS)[number] => (KINDS as readonly string[]).includes(kind);

/** Returns a day as the user's language writes it; days are those of UTC. */
const dayOf = (day: string, language: string) => new Date(day).toLocaleDateString(language, { dateStyle: "medium", timeZone: "UTC" });

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
          {rows.map(([name, cost], index) => (
            <Table.Tr key={index}>
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
