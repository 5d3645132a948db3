import { NumberInput, Button, Group, Progress, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { sizeText } from "../../components/FileSize";
import { Loading } from "../../components/Loading";
import { Line, Panel } from "../../components/Panel";
import { useLanguage, useMessages } from "../../i18n";
import { useTenant, useTenantChange } from "./Branding";

/** What the organisation has used this month, beside what it may use. */
export function Usage() {
  const t = useMessages();
  const { language } = useLanguage();
  const { can } = useMe();
  const usage = useQuery({ queryKey: ["usage"], queryFn: () => ok(api.GET("/api/tenant/usage")) });
  if (usage.error) return <ErrorNote error={usage.error} onRetry={() => void usage.refetch()} />;
  if (!usage.data) return <Loading />;
  const found = usage.data;
  const count = (value: number) => value.toLocaleString(language);
  const dollars = (value: number) => value.toLocaleString(language, { style: "currency", currency: "USD" });
  return (
    <>
      <Panel title={t("settings.usage")} text={t("settings.usageText", { month: found.month, tier: found.tier })} isList>
        <Bar label={t("settings.calls")} used={found.api_calls} write={count} />
        <Bar label={t("settings.spent")} used={found.cost_usd} write={dollars} />
        <Bar label={t("settings.storage")} used={found.storage_bytes} write={(bytes) => sizeText(bytes, language)} />
        <Bar label={t("settings.people")} used={found.users} write={count} />
        <Bar label={t("settings.sessions")} used={found.sessions} write={count} />
        <Line
          title={t("settings.rates")}
          text={t("settings.ratesText", { tenant: found.rates_per_minute.tenant, user: found.rates_per_minute.user, key: found.rates_per_minute.key })}
        />
      </Panel>
      {can("tenant:admin") && <Budget />}
      <Panel title={t("settings.models")} isList>
        {found.models.length === 0 ? (
          <Empty title={t("settings.noModels")} />
        ) : (
          <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
            <Table verticalSpacing="sm" horizontalSpacing="lg">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t("settings.model")}</Table.Th>
                  <Table.Th ta="right">{t("settings.calls")}</Table.Th>
                  <Table.Th ta="right">{t("settings.tokens")}</Table.Th>
                  <Table.Th ta="right">{t("settings.spent")}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {found.models.map((each) => (
                  <Table.Tr key={`${each.kind} ${each.provider} ${each.model}`}>
                    <Table.Td>
                      {each.provider} · {each.model || each.kind}
                    </Table.Td>
                    <Table.Td ta="right">{count(each.calls)}</Table.Td>
                    <Table.Td ta="right">{count(each.input_tokens + each.output_tokens)}</Table.Td>
                    <Table.Td ta="right">{dollars(Number(each.cost_usd))}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Panel>
    </>
  );
}

function Bar({ label, used, write }: { label: string; used: Schemas["Used"]; write: (value: number) => string }) {
  const t = useMessages();
  const percent = Math.min(used.percent ?? 0, 100);
  return (
    <Line title={label} text={used.limit == null ? t("settings.noLimit") : t("settings.ofLimit", { limit: write(used.limit) })} actions={<Text fz="sm">{write(used.used)}</Text>}>
      {used.limit != null && <Progress value={percent} color={percent >= 80 ? "red" : "teal"} size="sm" mt={8} aria-label={label} />}
    </Line>
  );
}

function Budget() {
  const t = useMessages();
  const tenant = useTenant();
  const [budget, setBudget] = useState<number | string | null>(null);
  const save = useTenantChange();
  const kept = tenant.data?.max_monthly_cost_usd ?? "";
  return (
    <Panel title={t("settings.budget")} text={t("settings.budgetText")}>
      <Stack gap="sm">
        <ErrorNote error={tenant.error ?? save.error} />
        <Group align="flex-end" gap="sm">
          <NumberInput label={t("settings.budgetUsd")} min={0} prefix="$" value={budget ?? kept} onChange={setBudget} w={200} />
          <Button loading={save.isPending} disabled={budget === null} onClick={() => save.mutate({ max_monthly_cost_usd: budget === "" ? null : Number(budget) }, { onSuccess: () => setBudget(null) })}>
            {t("common.save")}
          </Button>
          <Text role="status" fz="sm" c="dimmed">
            {save.isSuccess && budget === null ? t("settings.saved") : ""}
          </Text>
        </Group>
      </Stack>
    </Panel>
  );
}
