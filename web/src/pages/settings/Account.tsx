import { Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { SubmitEvent } from "react";
import { given, useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { ConfirmButton } from "../../components/ConfirmButton";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { useMessages } from "../../i18n";


/** Returns what was typed into a form, by the names of its fields. */
export function typed(event: SubmitEvent<HTMLFormElement>): Record<string, string> {
  event.preventDefault();
  return Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
}

/** Who one is here: name, password, and where one is signed in. */
export function Account() {
  const t = useMessages();
  const { me } = useMe();
  if (!me?.user)
    return (
      <Panel title={t("settings.account")}>
        <Empty title={t("settings.noAccount")} text={t("settings.noAccountText")} />
      </Panel>
    );
  return (
    <>
      <Name user={me.user} />
      <Password />
      <Logins />
    </>
  );
}

function Name({ user }: { user: Schemas["UserView"] }) {
  const t = useMessages();
  const save = useAct((name: string) => ok(api.PATCH("/api/me", { body: given<Schemas["MeChange"]>({ name }) })), ["me"]);
  return (
    <Panel title={t("settings.account")} text={`${user.email} · ${user.role}`}>
      <form onSubmit={(event) => save.mutate(typed(event).name!)}>
        <Stack maw={420}>
          <ErrorNote error={save.error} />
          <TextInput name="name" label={t("settings.name")} defaultValue={user.name ?? ""} required maxLength={100} autoComplete="name" />
          <Group>
            <Button type="submit" loading={save.isPending}>
              {t("common.save")}
            </Button>
            <Text role="status" fz="sm" c="dimmed">
              {save.isSuccess ? t("settings.saved") : ""}
            </Text>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}

function Password() {
  const t = useMessages();
  const change = useAct((body: Schemas["PasswordBody"]) => ok(api.POST("/api/password", { body })), ["logins"]);
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    const form = event.currentTarget;
    const { current_password = "", new_password = "" } = typed(event);
    change.mutate({ current_password, new_password }, { onSuccess: () => form.reset() });
  };
  return (
    <Panel title={t("settings.password")} text={t("settings.passwordText")}>
      <form onSubmit={submitted}>
        <Stack maw={420}>
          <ErrorNote error={change.error} />
          <PasswordInput name="current_password" label={t("settings.currentPassword")} required autoComplete="current-password" />
          <PasswordInput name="new_password" label={t("settings.newPassword")} required minLength={10} autoComplete="new-password" />
          <Group>
            <Button type="submit" loading={change.isPending}>
              {t("settings.changePassword")}
            </Button>
            <Text role="status" fz="sm" c="dimmed">
              {change.isSuccess ? t("settings.passwordChanged") : ""}
            </Text>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}

function Logins() {
  const t = useMessages();
  const logins = useQuery({ queryKey: ["logins"], queryFn: () => ok(api.GET("/api/me/sessions")) });
  const end = useAct((id: string) => ok(api.DELETE("/api/me/sessions/{id}", { params: { path: { id } } })), ["logins"]);
  return (
    <Panel title={t("settings.logins")} text={t("settings.loginsText")} isList>
      <ErrorNote error={logins.error} onRetry={() => void logins.refetch()} />
      {logins.data?.sessions.map((each) => (
        <Line
          key={each.session_id}
          title={each.user_agent ?? t("settings.unknownDevice")}
          text={
            <>
              {each.address} · <DateTime at={each.last_used_at} />
            </>
          }
          actions={
            each.current ? (
              <Text fz="xs" c="dimmed">
                {t("settings.thisDevice")}
              </Text>
            ) : (
              <ConfirmButton size="xs" title={t("settings.endLogin")} text={t("settings.endLoginText")} onConfirm={() => end.mutateAsync(each.session_id)}>
                {t("settings.endLogin")}
              </ConfirmButton>
            )
          }
        />
      ))}
    </Panel>
  );
}
