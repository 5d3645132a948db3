import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { given, useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { useRows } from "../../api/pages";
import { ConfirmButton } from "../../components/ConfirmButton";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { RowList } from "../../components/RowList";
import { ShownOnce } from "../../components/Shown";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import { Subscription, TENANTS as KEY, TIERS } from "./Subscription";

/** All organisations, for the operator: found, change what they may use, suspend, delete. */
export function Tenants() {
  const t = useMessages();
  const [isOpen, setOpen] = useState(false);
  const [made, setMade] = useState<Schemas["TenantMade"] | null>(null);
  const tenants = useRows(KEY, async (after) => {
    const page = await ok(api.GET("/api/tenants", { params: { query: { limit: 50, after: after ?? null } } }));
    return { rows: page.tenants, next: page.next };
  });
  return (
    <Panel title={t("admin.tenants")} text={t("admin.tenantsText")} isList actions={<Button onClick={() => setOpen(true)}>{t("admin.found")}</Button>}>
      {made?.invitation_url && (
        <ShownOnce title={t("admin.founded", { name: made.organization_name })} text={t("admin.foundedText")} secret={made.invitation_url} onClose={() => setMade(null)} />
      )}
      <RowList rows={tenants} rowKey={(each) => each.tenant_id} label={t("admin.tenants")} guessPx={72} empty={<Empty title={t("admin.noTenants")} />}>
        {(each) => <Tenant tenant={each} />}
      </RowList>
      {isOpen && <Found onClose={() => setOpen(false)} onMade={setMade} />}
    </Panel>
  );
}

function Tenant({ tenant }: { tenant: Schemas["TenantView"] }) {
  const t = useMessages();
  const { me } = useMe();
  const params = { path: { id: tenant.tenant_id } };
  const change = useAct((is_active: boolean) => ok(api.PATCH("/api/tenants/{id}", { params, body: given<Schemas["TenantChange"]>({ is_active }) })), KEY);
  const remove = useAct(() => ok(api.DELETE("/api/tenants/{id}", { params })), KEY);
  const name = tenant.organization_name;
  const isOwn = me?.tenant_id === tenant.tenant_id;
  const isGoing = tenant.deletion_requested_at !== null;
  const [isOpen, setOpen] = useState(false);
  return (
    <Line
      title={name}
      text={
        <>
          {tenant.subdomain} · {tenant.admin_email} · {tenant.subscription_tier} · <DateTime at={tenant.created_at} />
        </>
      }
      actions={
        <>
          <StateBadge state={isGoing ? "running" : tenant.is_active ? "active" : "paused"} label={t(isGoing ? "admin.isDeleted" : tenant.is_active ? "admin.isActive" : "admin.isSuspended")} />
          {!isGoing && (
            <Button size="xs" variant="default" aria-label={`${t("common.edit")}: ${name}`} onClick={() => setOpen(true)}>
              {t("common.edit")}
            </Button>
          )}
          {!isOwn && !isGoing && (
            <>
              {tenant.is_active ? (
                <ConfirmButton size="xs" title={t("admin.suspendOf", { name })} text={t("admin.suspendText")} confirm={t("admin.suspend")} onConfirm={() => change.mutateAsync(false)}>
                  {t("admin.suspend")}
                </ConfirmButton>
              ) : (
                <Button size="xs" variant="default" loading={change.isPending} onClick={() => change.mutate(true)}>
                  {t("admin.resume")}
                </Button>
              )}
              <ConfirmButton size="xs" title={t("admin.deleteOf", { name })} text={t("admin.deleteText")} confirm={t("common.delete")} onConfirm={() => remove.mutateAsync()}>
                {t("common.delete")}
              </ConfirmButton>
            </>
          )}
        </>
      }
    >
      <ErrorNote error={change.error} />
      {isOpen && <Subscription tenant={tenant} onClose={() => setOpen(false)} />}
      {isOwn && (
        <Text fz="xs" c="dimmed">
          {t("admin.isOwn")}
        </Text>
      )}
    </Line>
  );
}

function Found({ onClose, onMade }: { onClose: () => void; onMade: (made: Schemas["TenantMade"]) => void }) {
  const t = useMessages();
  const found = useAct((body: Partial<Schemas["TenantBody"]>) => ok(api.POST("/api/tenants", { body: given<Schemas["TenantBody"]>(body) })), KEY);
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const of = (name: string) => String(fields.get(name));
    const body = { organization_name: of("name"), admin_email: of("email"), subscription_tier: of("tier") as (typeof TIERS)[number] };
    found.mutate(body, { onSuccess: (made) => (onMade(made), onClose()) });
  };
  return (
    <Modal opened onClose={onClose} title={t("admin.found")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={found.error} />
          <TextInput name="name" label={t("admin.organisation")} required data-autofocus />
          <TextInput name="email" type="email" label={t("admin.adminEmail")} required />
          <NativeSelect name="tier" label={t("admin.tier")} data={[...TIERS]} />
          <Group justify="flex-end">
            <Button type="submit" loading={found.isPending}>
              {t("common.create")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
