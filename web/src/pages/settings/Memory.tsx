import { Anchor, Button, Code, Group, Modal, NativeSelect, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { Link } from "react-router";
import { useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { ConfirmButton } from "../../components/ConfirmButton";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { useMessages } from "../../i18n";
import { PREFERENCES, usePreferences } from "./Persona";
import { valueOf, valueText } from "./preference";

/** What is remembered of somebody: they see it, change it, and have it forgotten. */
export function Memory() {
  return (
    <>
      <Learned />
      <Summaries />
      <ForgetAll />
    </>
  );
}

function Learned() {
  const t = useMessages();
  const [edited, setEdited] = useState<Schemas["PreferenceView"] | "new" | null>(null);
  const preferences = usePreferences();
  const consent = useAct((learn: boolean) => ok(api.PUT("/api/memory/consent", { body: { learn } })), PREFERENCES);
  const forget = useAct((key: string) => ok(api.DELETE("/api/memory/preferences/{key}", { params: { path: { key } } })), PREFERENCES);
  const found = preferences.data?.preferences;
  return (
    <Panel
      title={t("settings.preferences")}
      text={t("settings.preferencesText")}
      actions={
        <Button size="sm" variant="default" onClick={() => setEdited("new")}>
          {t("settings.addPreference")}
        </Button>
      }
      isList
    >
      <Line title={t("settings.learn")} text={t("settings.learnText")} actions={
        <Switch
          aria-label={t("settings.learn")}
          checked={preferences.data?.learn ?? false}
          disabled={!preferences.data || consent.isPending}
          onChange={(event) => consent.mutate(event.currentTarget.checked)}
        />
      } />
      <ErrorNote error={preferences.error ?? consent.error ?? forget.error} onRetry={() => void preferences.refetch()} />
      {found?.length === 0 && <Empty title={t("settings.noPreferences")} text={t("settings.noPreferencesText")} />}
      {found?.map((each) => (
        <Line
          key={each.key}
          title={each.key}
          text={
            <>
              {t(each.source === "stated" ? "settings.stated" : "settings.learned")} · <DateTime at={each.updated_at} />
            </>
          }
          actions={
            <>
              <Button size="xs" variant="default" aria-label={`${t("common.edit")}: ${each.key}`} onClick={() => setEdited(each)}>
                {t("common.edit")}
              </Button>
              <Button size="xs" variant="default" aria-label={`${t("settings.forget")}: ${each.key}`} onClick={() => forget.mutate(each.key)}>
                {t("settings.forget")}
              </Button>
            </>
          }
        >
          <Code>{valueText(each.value)}</Code>
        </Line>
      ))}
      {edited && <Edit preference={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </Panel>
  );
}

const UNITS = ["metric", "imperial"];

function Edit({ preference, onClose }: { preference: Schemas["PreferenceView"] | null; onClose: () => void }) {
  const t = useMessages();
  const save = useAct(
    ({ key, value }: { key: string; value: unknown }) => ok(api.PUT("/api/memory/preferences", { body: { preferences: { [key]: value } } })),
    PREFERENCES,
  );
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const key = preference?.key ?? String(fields.get("key")).trim();
    save.mutate({ key, value: valueOf(key, String(fields.get("value"))) }, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={preference?.key ?? t("settings.addPreference")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={save.error} />
          {!preference && (
            <TextInput name="key" label={t("settings.key")} description={t("settings.keyHint")} required pattern="[a-z][a-z0-9_.\-]{0,63}" data-autofocus />
          )}
          {preference?.key === "units" ? (
            <NativeSelect name="value" label={t("settings.value")} data={UNITS} defaultValue={String(preference.value)} />
          ) : (
            <TextInput name="value" label={t("settings.value")} required defaultValue={preference ? valueText(preference.value) : ""} data-autofocus={preference ? true : undefined} />
          )}
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

function Summaries() {
  const t = useMessages();
  const summaries = useQuery({
    queryKey: ["summaries"],
    queryFn: () => ok(api.GET("/api/memory/summaries", { params: { query: { limit: 50 } } })),
  });
  return (
    <Panel title={t("settings.summaries")} text={t("settings.summariesText")} isList>
      <ErrorNote error={summaries.error} onRetry={() => void summaries.refetch()} />
      {summaries.data?.summaries.length === 0 && <Empty title={t("settings.noSummaries")} />}
      {summaries.data?.summaries.map((each) => (
        <Line
          key={each.conversation_id}
          title={
            <Anchor component={Link} to={`/app/chat/${each.conversation_id}`} fz="sm">
              {t("settings.summaryOf", { count: each.turns })}
            </Anchor>
          }
          text={<DateTime at={each.updated_at} />}
        >
          <Text fz="sm" style={{ whiteSpace: "pre-wrap" }}>
            {each.text}
          </Text>
        </Line>
      ))}
    </Panel>
  );
}

function ForgetAll() {
  const t = useMessages();
  const [receipt, setReceipt] = useState<Schemas["ForgetReceipt"] | null>(null);
  const [isShown, { open, close }] = useDisclosure();
  const forget = useAct(() => ok(api.DELETE("/api/memory")), PREFERENCES, ["summaries"], ["conversations"]);
  return (
    <Panel title={t("settings.forgetMe")} text={t("settings.forgetMeText")}>
      <ConfirmButton
        title={t("settings.forgetMe")}
        text={t("settings.forgetMeSure")}
        confirm={t("settings.forgetMeDo")}
        onConfirm={async () => {
          setReceipt(await forget.mutateAsync());
          open();
        }}
      >
        {t("settings.forgetMe")}
      </ConfirmButton>
      {receipt && isShown && (
        <Stack mt="md" gap={4} role="status">
          <Text fz="sm" fw={550}>
            {t(receipt.complete ? "settings.forgotten" : "settings.notAllForgotten")}
          </Text>
          {Object.entries(receipt.deleted)
            .filter(([, count]) => count > 0)
            .map(([kind, count]) => (
              <Text key={kind} fz="sm" c="dimmed">
                {kind}: {count}
              </Text>
            ))}
          <Button size="xs" variant="default" w="fit-content" onClick={close}>
            {t("common.close")}
          </Button>
        </Stack>
      )}
    </Panel>
  );
}
