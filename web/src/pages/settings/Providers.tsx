import { Button, Group, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { ConfirmButton } from "../../components/ConfirmButton";
import { DateTime } from "../../components/DateTime";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import { typed } from "./Account";

const KEY = ["provider-keys"];
const PROVIDERS = { openai: "OpenAI", grok: "Grok (xAI)", groq: "Groq", elevenlabs: "ElevenLabs", custom: "" } as const;
type Provider = keyof typeof PROVIDERS;

/** The organisation's own keys of providers: set, tried and removed, and never shown. */
export function Providers() {
  const t = useMessages();
  const keys = useQuery({ queryKey: KEY, queryFn: () => ok(api.GET("/api/tenant/provider-keys")) });
  return (
    <Panel title={t("settings.providers")} text={t("settings.providersText")} isList>
      <ErrorNote error={keys.error} onRetry={() => void keys.refetch()} />
      {(Object.keys(PROVIDERS) as Provider[]).map((provider) => (
        <One key={provider} provider={provider} kept={keys.data?.find((each) => each.provider === provider)} />
      ))}
    </Panel>
  );
}

function One({ provider, kept }: { provider: Provider; kept: Schemas["ProviderKeyView"] | undefined }) {
  const t = useMessages();
  const [isOpen, setOpen] = useState(false);
  const params = { path: { provider } };
  const name = PROVIDERS[provider] || t("settings.customProvider");
  const remove = useAct(() => ok(api.DELETE("/api/tenant/provider-keys/{provider}", { params })), KEY, ["me"]);
  const trial = useAct(() => ok(api.POST("/api/tenant/provider-keys/{provider}/test", { params })));
  return (
    <Line
      title={name}
      text={
        kept ? (
          <>
            {kept.hint && `…${kept.hint} · `}
            {t("settings.setAt")} <DateTime at={kept.set_at} />
          </>
        ) : (
          t("settings.noProviderKey")
        )
      }
      actions={
        <>
          {kept && (
            <Button size="xs" variant="default" loading={trial.isPending} aria-label={`${t("settings.try")}: ${name}`} onClick={() => trial.mutate()}>
              {t("settings.try")}
            </Button>
          )}
          <Button size="xs" variant="default" aria-label={`${t(kept ? "settings.replaceKey" : "settings.setKey")}: ${name}`} onClick={() => setOpen(true)}>
            {t(kept ? "settings.replaceKey" : "settings.setKey")}
          </Button>
          {kept && (
            <ConfirmButton size="xs" title={t("settings.removeKeyOf", { name })} text={t("settings.removeKeyText")} confirm={t("settings.remove")} onConfirm={() => remove.mutateAsync()}>
              {t("settings.remove")}
            </ConfirmButton>
          )}
        </>
      }
    >
      <ErrorNote error={trial.error} />
      {trial.data && (
        <Stack gap={4} mt="xs" role="status">
          {trial.data.trials.length === 0 && <Text fz="sm">{t("settings.nothingToTry")}</Text>}
          {trial.data.trials.map((each) => (
            <Text key={each.kind} fz="sm">
              <StateBadge state={each.works ? "active" : "failed"} label={t(`settings.work_${each.kind}`)} /> · {each.works ? t("settings.worksIn", { ms: each.ms }) : each.detail}
            </Text>
          ))}
        </Stack>
      )}
      {isOpen && <SetKey provider={provider} name={name} onClose={() => (setOpen(false), trial.reset())} />}
    </Line>
  );
}

function SetKey({ provider, name, onClose }: { provider: Provider; name: string; onClose: () => void }) {
  const t = useMessages();
  const put = useAct((key: string) => ok(api.PUT("/api/tenant/provider-keys/{provider}", { params: { path: { provider } }, body: { key } })), KEY);
  const submitted = (event: SubmitEvent<HTMLFormElement>) => put.mutate(typed(event).key!, { onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title={name} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={put.error} />
          <PasswordInput name="key" label={t("settings.providerKey")} description={t("settings.providerKeyHint")} required minLength={8} autoComplete="off" data-autofocus />
          <Group justify="flex-end">
            <Button type="submit" loading={put.isPending}>
              {t("common.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
