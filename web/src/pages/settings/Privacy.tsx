import { Button, Group, List, Modal, NumberInput, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useAct } from "../../api/acts";
import { api, blob, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { forget } from "../../api/session";
import { ConfirmButton } from "../../components/ConfirmButton";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { useMessages } from "../../i18n";
import { useTenant, useTenantChange } from "./Branding";

/** What is kept of what is said, for how long, and how it is taken along or deleted. */
export function Privacy() {
  const t = useMessages();
  const { can } = useMe();
  return (
    <>
      <Panel title={t("settings.privacy")} text={t("settings.privacyText")}>
        <List size="sm" spacing="xs">
          <List.Item>{t("settings.keptWords")}</List.Item>
          <List.Item>{t("settings.keptSound")}</List.Item>
          <List.Item>{t("settings.keptLearned")}</List.Item>
          <List.Item>{t("settings.keptAudit")}</List.Item>
        </List>
      </Panel>
      {can("tenant:admin") && <Recording />}
      {can("chat") && <Recordings />}
      {can("tenant:admin") && <TakeAlong />}
    </>
  );
}

function Recording() {
  const t = useMessages();
  const tenant = useTenant();
  const save = useTenantChange();
  const [days, setDays] = useState<number | string | null>(null);
  const found = tenant.data;
  return (
    <Panel title={t("settings.recording")} text={t("settings.recordingText")} isList>
      <ErrorNote error={tenant.error ?? save.error} />
      <Line
        title={t("settings.record")}
        text={t("settings.recordText")}
        actions={
          <Switch
            aria-label={t("settings.record")}
            disabled={!found || save.isPending}
            checked={found?.record_voice ?? false}
            onChange={(event) => save.mutate({ record_voice: event.currentTarget.checked })}
          />
        }
      />
      <Line
        title={t("settings.retention")}
        text={t("settings.retentionText")}
        actions={
          <>
            <NumberInput aria-label={t("settings.retention")} min={1} max={3650} value={days ?? found?.recording_days ?? ""} onChange={setDays} w={110} allowDecimal={false} />
            <Button variant="default" disabled={days === null || days === ""} loading={save.isPending} onClick={() => save.mutate({ recording_days: Number(days) }, { onSuccess: () => setDays(null) })}>
              {t("common.save")}
            </Button>
          </>
        }
      />
    </Panel>
  );
}

function Recordings() {
  const t = useMessages();
  const recordings = useQuery({ queryKey: ["recordings"], queryFn: () => ok(api.GET("/api/recordings", { params: { query: { limit: 50 } } })) });
  const remove = useAct((turn_id: string) => ok(api.DELETE("/api/recordings/{turn_id}", { params: { path: { turn_id } } })), ["recordings"]);
  const found = recordings.data?.recordings;
  return (
    <Panel title={t("settings.recordings")} text={t("settings.recordingsText")} isList>
      <ErrorNote error={recordings.error} onRetry={() => void recordings.refetch()} />
      {found?.length === 0 && <Empty title={t("settings.noRecordings")} />}
      {found?.map((each) => (
        <Line
          key={each.turn_id}
          title={<DateTime at={each.created_at} isExact />}
          text={
            <>
              {t("settings.goesAt")} <DateTime at={each.expires_at} />
            </>
          }
          actions={
            <>
              {each.question_url && <Sound label={t("settings.question")} url={each.question_url} />}
              {each.answer_url && <Sound label={t("settings.answer")} url={each.answer_url} />}
              <ConfirmButton size="xs" title={t("settings.deleteRecording")} text={t("settings.deleteRecordingText")} confirm={t("common.delete")} onConfirm={() => remove.mutateAsync(each.turn_id)}>
                {t("common.delete")}
              </ConfirmButton>
            </>
          }
        />
      ))}
    </Panel>
  );
}

function Sound({ label, url }: { label: string; url: string }) {
  const [source, setSource] = useState("");
  const [error, setError] = useState<unknown>(null);
  useEffect(() => () => URL.revokeObjectURL(source), [source]);
  if (error) return <ErrorNote error={error} />;
  if (source) return <audio controls autoPlay src={source} aria-label={label} style={{ height: 32, maxWidth: 220 }} />;
  return (
    <Button size="xs" variant="default" onClick={() => void blob(url).then((sound) => setSource(URL.createObjectURL(sound)), setError)}>
      {label}
    </Button>
  );
}

function TakeAlong() {
  const t = useMessages();
  const { me } = useMe();
  const [isOpen, { open, close }] = useDisclosure();
  const [typedName, setTypedName] = useState("");
  const [gone, setGone] = useState<Schemas["DeletionView"] | null>(null);
  const take = useAct(async () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await blob("/api/tenant/export"));
    link.download = "organisation.zip";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
  const remove = useAct(() => ok(api.DELETE("/api/tenant", { body: { confirm: typedName } })));
  return (
    <Panel title={t("settings.takeAlong")} text={t("settings.takeAlongText")} isList>
      <ErrorNote error={take.error} />
      <Line
        title={t("settings.export")}
        text={t("settings.exportText")}
        actions={
          <Button variant="default" loading={take.isPending} onClick={() => take.mutate()}>
            {t("settings.export")}
          </Button>
        }
      />
      {me?.kind === "user" && (
        <Line
          title={t("settings.deleteOrganisation")}
          text={t("settings.deleteOrganisationText")}
          actions={
            <Button variant="default" onClick={open}>
              {t("settings.deleteOrganisation")}
            </Button>
          }
        />
      )}
      <Modal opened={isOpen} onClose={close} title={t("settings.deleteOrganisation")} closeButtonProps={{ "aria-label": t("common.close") }}>
        <Stack>
          <Text fz="sm">{t("settings.deleteOrganisationSure", { name: me?.organization ?? "" })}</Text>
          <ErrorNote error={remove.error} />
          <TextInput label={t("settings.organisation")} value={typedName} onChange={(event) => setTypedName(event.currentTarget.value)} data-autofocus />
          {gone && <Text role="status">{gone.status}</Text>}
          <Group justify="flex-end">
            <Button color="red" loading={remove.isPending} disabled={typedName !== me?.organization} onClick={() => remove.mutate(undefined, { onSuccess: (receipt) => (setGone(receipt), forget()) })}>
              {t("settings.deleteOrganisation")}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Panel>
  );
}
