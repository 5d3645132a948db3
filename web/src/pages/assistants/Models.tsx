import { NumberInput, Select, Stack, TagsInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ok } from "../../api/client";
import { useMessages } from "../../i18n";
import type { Draft, Put } from "./draft";

const NAME = /^[A-Za-z0-9_.:/@+-]{1,128}$/;

/** Which providers or models write its answers, and what one may cost. */
export function Models({ draft, put }: { draft: Draft; put: Put }) {
  const t = useMessages();
  const policy = draft.model_policy;
  const set = (change: Partial<typeof policy>) => put("model_policy", { ...policy, ...change });
  const health = useQuery({ queryKey: ["health"], staleTime: 60_000, queryFn: () => ok(api.GET("/health")) });
  const providers = Object.keys(health.data?.apis ?? {});
  const valid = (names: string[]) => names.map((name) => name.trim()).filter((name) => NAME.test(name));
  return (
    <Stack gap="md">
      <TagsInput
        label={t("assistants.prefer")}
        description={t("assistants.preferHint")}
        data={providers}
        value={policy.prefer ?? []}
        onChange={(value) => set({ prefer: valid(value) })}
        maxTags={32}
        clearable
      />
      <TagsInput label={t("assistants.avoid")} description={t("assistants.avoidHint")} data={providers} value={policy.avoid ?? []} onChange={(value) => set({ avoid: valid(value) })} maxTags={32} clearable />
      <NumberInput
        label={t("assistants.mostCost")}
        placeholder={t("assistants.noLimit")}
        min={0}
        max={1_000}
        decimalScale={4}
        prefix="$ "
        value={policy.max_cost_usd_per_answer ?? ""}
        onChange={(value) => set({ max_cost_usd_per_answer: value === "" ? null : Number(value) })}
      />
      <Choice label={t("assistants.hedge")} hint={t("assistants.hedgeHint")} value={policy.hedge} onChange={(hedge) => set({ hedge })} />
      <Choice label={t("assistants.cache")} hint={t("assistants.cacheHint")} value={policy.cache} onChange={(cache) => set({ cache })} />
    </Stack>
  );
}

function Choice({ label, hint, value, onChange }: { label: string; hint: string; value: boolean | null | undefined; onChange: (value: boolean | null) => void }) {
  const t = useMessages();
  const data = [
    { value: "set", label: t("assistants.asSet") },
    { value: "yes", label: t("assistants.yes") },
    { value: "no", label: t("assistants.no") },
  ];
  return (
    <Select
      label={label}
      description={hint}
      data={data}
      allowDeselect={false}
      value={value == null ? "set" : value ? "yes" : "no"}
      onChange={(chosen) => onChange(chosen === "set" ? null : chosen === "yes")}
    />
  );
}
