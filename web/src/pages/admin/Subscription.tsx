import { Button, Group, Modal, NativeSelect, NumberInput, Stack } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { given, useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";

export const TENANTS = ["tenants"];
export const TIERS = ["standard", "premium", "enterprise"] as const;
const LIMITS = ["max_users", "max_storage_gb", "max_api_calls_monthly", "max_concurrent_sessions"] as const;
const MOST = 2_000_000_000;

/** What an organisation may use: its subscription, and each limit by itself. */
export function Subscription({ tenant, onClose }: { tenant: Schemas["TenantView"]; onClose: () => void }) {
  const t = useMessages();
  const [tier, setTier] = useState(tenant.subscription_tier);
  const [limits, setLimits] = useState<Partial<Record<(typeof LIMITS)[number], number>>>({});
  const save = useAct(
    (fields: Partial<Schemas["TenantChange"]>) =>
      ok(api.PATCH("/api/tenants/{id}", { params: { path: { id: tenant.tenant_id } }, body: given<Schemas["TenantChange"]>(fields) })),
    TENANTS,
  );
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const changed = tier === tenant.subscription_tier ? {} : { subscription_tier: tier as (typeof TIERS)[number] };
    save.mutate({ ...changed, ...limits }, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={tenant.organization_name} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={save.error} />
          <NativeSelect label={t("admin.tier")} data={[...TIERS]} value={tier} onChange={(event) => setTier(event.currentTarget.value)} data-autofocus />
          {LIMITS.map((limit) => (
            <NumberInput
              key={limit}
              label={t(`admin.${limit}`)}
              min={0}
              max={MOST}
              allowDecimal={false}
              required
              value={limits[limit] ?? tenant[limit]}
              onChange={(value) => setLimits({ ...limits, [limit]: Number(value) })}
            />
          ))}
          <Group justify="flex-end">
            <Button type="submit" loading={save.isPending}>
              {t("common.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
