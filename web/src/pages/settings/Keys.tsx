import { Button, Checkbox, Group, Modal, NativeSelect, Stack, TextInput } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { ConfirmButton } from "../../components/ConfirmButton";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { ShownOnce } from "../../components/Shown";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import { typed } from "./Account";
import { expiryOf, stateOf } from "./keys";

const KEY = ["keys"];
const SCOPES = ["chat", "documents:read", "documents:write", "ai:write", "analytics:read", "webhooks", "tenant:admin"] as const;
const DAYS = ["30", "90", "365", ""];

/** Keys by which programs use the API. */
export function Keys() {
  const t = useMessages();
  const [isOpen, setOpen] = useState(false);
  const [made, setMade] = useState<Schemas["KeyMade"] | null>(null);
  const keys = useQuery({ queryKey: KEY, queryFn: () => ok(api.GET("/api/tenant/keys")) });
  return (
    <Panel title={t("settings.keys")} text={t("settings.keysText")} isList actions={<Button onClick={() => setOpen(true)}>{t("settings.createKey")}</Button>}>
      {made && <ShownOnce title={t("settings.keyOnce", { name: made.name })} text={t("settings.onceText")} secret={made.api_key} onClose={() => setMade(null)} />}
      <ErrorNote error={keys.error} onRetry={() => void keys.refetch()} />
      {keys.data?.keys.length === 0 && <Empty icon={IconKey} title={t("settings.noKeys")} text={t("settings.noKeysText")} />}
      {keys.data?.keys.map((key) => <Key key={key.key_id} value={key} onMade={setMade} />)}
      {isOpen && <Create onClose={() => setOpen(false)} onMade={setMade} />}
    </Panel>
  );
}

function Key({ value: key, onMade }: { value: Schemas["KeyView"]; onMade: (made: Schemas["KeyMade"]) => void }) {
  const t = useMessages();
  const params = { path: { id: key.key_id } };
  const rotate = useAct(() => ok(api.POST("/api/tenant/keys/{id}/rotate", { params, body: { overlap_s: 86_400 } })), KEY);
  const revoke = useAct(() => ok(api.DELETE("/api/tenant/keys/{id}", { params })), KEY);
  const state = stateOf(key, Date.now());
  return (
    <Line
      title={key.name}
      text={
        <>
          {key.prefix} · {key.scopes.join(", ")} · {t("settings.lastUsed")} <DateTime at={key.last_used_at} />
          {key.expires_at && (
            <>
              {" "}
              · {t("settings.expires")} <DateTime at={key.expires_at} />
            </>
          )}
        </>
      }
      actions={
        <>
          <StateBadge state={state === "active" ? "active" : "inactive"} label={t(`settings.key_${state}`)} />
          {state === "active" && (
            <>
              <ConfirmButton
                size="xs"
                title={t("settings.rotateOf", { name: key.name })}
                text={t("settings.rotateKeyText")}
                confirm={t("settings.rotate")}
                onConfirm={async () => onMade(await rotate.mutateAsync())}
              >
                {t("settings.rotate")}
              </ConfirmButton>
              <ConfirmButton size="xs" title={t("settings.revokeOf", { name: key.name })} text={t("settings.revokeText")} confirm={t("settings.revoke")} onConfirm={() => revoke.mutateAsync()}>
                {t("settings.revoke")}
              </ConfirmButton>
            </>
          )}
        </>
      }
    />
  );
}

function Create({ onClose, onMade }: { onClose: () => void; onMade: (made: Schemas["KeyMade"]) => void }) {
  const t = useMessages();
  const [scopes, setScopes] = useState<string[]>(["chat", "documents:read"]);
  const make = useAct((body: Schemas["KeyBody"]) => ok(api.POST("/api/tenant/keys", { body })), KEY);
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    const { name = "", days = "" } = typed(event);
    make.mutate(
      { name, scopes: scopes as Schemas["Permission"][], expires_at: expiryOf(days, Date.now()) },
      { onSuccess: (made) => (onMade(made), onClose()) },
    );
  };
  return (
    <Modal opened onClose={onClose} title={t("settings.createKey")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={make.error} />
          <TextInput name="name" label={t("settings.keyName")} description={t("settings.keyNameHint")} required maxLength={100} data-autofocus />
          <Checkbox.Group label={t("settings.scopes")} value={scopes} onChange={setScopes}>
            <Stack gap="xs" mt="xs">
              {SCOPES.map((scope) => (
                <Checkbox key={scope} value={scope} label={t(`settings.scope_${scope.replace(":", "_") as ScopeName}`)} description={scope} />
              ))}
            </Stack>
          </Checkbox.Group>
          <NativeSelect
            name="days"
            label={t("settings.expiry")}
            defaultValue="90"
            data={DAYS.map((value) => ({ value, label: value ? t("settings.days", { count: Number(value) }) : t("common.never") }))}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={make.isPending} disabled={scopes.length === 0}>
              {t("common.create")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

type ScopeName = "chat" | "documents_read" | "documents_write" | "ai_write" | "analytics_read" | "webhooks" | "tenant_admin";
