import { Button, Checkbox, Group, Modal, NativeSelect, Stack, TextInput } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
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

const KEY = ["users"];
const ROLES = ["user", "manager", "admin"] as const;
const FLAGS = ["can_upload_documents", "can_modify_ai_settings", "can_view_analytics"] as const;
type Role = (typeof ROLES)[number];

/** Who belongs to the organisation, and what each may do. */
export function People() {
  const t = useMessages();
  const [invited, setInvited] = useState<Schemas["Invited"] | null>(null);
  const [edited, setEdited] = useState<Schemas["UserView"] | "new" | null>(null);
  const users = useRows(KEY, async (after) => {
    const page = await ok(api.GET("/api/tenant/users", { params: { query: { limit: 100, after: after ?? null } } }));
    return { rows: page.users, next: page.next };
  });
  return (
    <Panel title={t("settings.people")} text={t("settings.peopleText")} isList actions={<Button onClick={() => setEdited("new")}>{t("settings.invite")}</Button>}>
      {invited && (
        <ShownOnce
          title={t("settings.invited", { email: invited.user.email })}
          text={t("settings.invitedText")}
          secret={invited.invitation_url}
          onClose={() => setInvited(null)}
        />
      )}
      <RowList rows={users} rowKey={(user) => user.user_id} label={t("settings.people")} guessPx={72} empty={<Empty icon={IconUsers} title={t("settings.noPeople")} />}>
        {(user) => <User user={user} onEdit={() => setEdited(user)} onInvited={setInvited} />}
      </RowList>
      {edited === "new" && <Invite onClose={() => setEdited(null)} onInvited={setInvited} />}
      {edited && edited !== "new" && <Edit user={edited} onClose={() => setEdited(null)} />}
    </Panel>
  );
}

function useChange(user: Schemas["UserView"]) {
  return useAct(
    (fields: Partial<Schemas["UserChange"]>) =>
      ok(api.PATCH("/api/tenant/users/{id}", { params: { path: { id: user.user_id } }, body: given<Schemas["UserChange"]>(fields) })),
    KEY,
  );
}

function User({ user, onEdit, onInvited }: { user: Schemas["UserView"]; onEdit: () => void; onInvited: (invited: Schemas["Invited"]) => void }) {
  const t = useMessages();
  const { me } = useMe();
  const change = useChange(user);
  const again = useAct(
    () => ok(api.POST("/api/tenant/users/{id}/invitation", { params: { path: { id: user.user_id } } })).then(onInvited),
    KEY,
  );
  const isMe = me?.user_id === user.user_id;
  return (
    <Line
      title={user.name ? `${user.name} · ${user.email}` : user.email}
      text={
        <>
          {t(`settings.role_${user.role as Role}`)} · {isMe ? t("settings.isYou") : user.last_login_at ? <DateTime at={user.last_login_at} /> : t("settings.neverIn")}
        </>
      }
      actions={
        <>
          <StateBadge state={user.is_active ? (user.invited ? "queued" : "active") : "inactive"} {...(user.is_active && user.invited ? { label: t("settings.isInvited") } : {})} />
          {user.invited && user.is_active && (
            <Button size="xs" variant="default" loading={again.isPending} onClick={() => again.mutate()}>
              {t("settings.inviteAgain")}
            </Button>
          )}
          {!isMe && (
            <>
              <Button size="xs" variant="default" aria-label={`${t("common.edit")}: ${user.email}`} onClick={onEdit}>
                {t("common.edit")}
              </Button>
              {user.is_active ? (
                <ConfirmButton size="xs" title={t("settings.deactivateOf", { name: user.email })} text={t("settings.deactivateText")} onConfirm={() => change.mutateAsync({ is_active: false })}>
                  {t("settings.deactivate")}
                </ConfirmButton>
              ) : (
                <Button size="xs" variant="default" loading={change.isPending} onClick={() => change.mutate({ is_active: true })}>
                  {t("settings.activate")}
                </Button>
              )}
            </>
          )}
        </>
      }
    >
      <ErrorNote error={change.error ?? again.error} />
    </Line>
  );
}

function Rights({ role, flags, onRole, onFlags }: { role: Role; flags: string[]; onRole: (role: Role) => void; onFlags: (flags: string[]) => void }) {
  const t = useMessages();
  return (
    <>
      <NativeSelect
        label={t("settings.role")}
        value={role}
        onChange={(event) => onRole(event.currentTarget.value as Role)}
        data={ROLES.map((value) => ({ value, label: t(`settings.role_${value}`) }))}
      />
      {role !== "admin" && (
        <Checkbox.Group label={t("settings.mayAlso")} value={flags} onChange={onFlags}>
          <Stack gap="xs" mt="xs">
            {FLAGS.map((flag) => (
              <Checkbox key={flag} value={flag} label={t(`settings.${flag}`)} />
            ))}
          </Stack>
        </Checkbox.Group>
      )}
    </>
  );
}

const PRESETS: Record<Role, string[]> = { user: ["can_upload_documents"], manager: [...FLAGS], admin: [...FLAGS] };
const flagsOf = (chosen: readonly string[]) => Object.fromEntries(FLAGS.map((flag) => [flag, chosen.includes(flag)])) as Record<(typeof FLAGS)[number], boolean>;

function Invite({ onClose, onInvited }: { onClose: () => void; onInvited: (invited: Schemas["Invited"]) => void }) {
  const t = useMessages();
  const [role, setRole] = useState<Role>("user");
  const [flags, setFlags] = useState(PRESETS.user);
  const invite = useAct((body: Schemas["InviteBody"]) => ok(api.POST("/api/tenant/users", { body })), KEY);
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const body = { email: String(fields.get("email")), name: String(fields.get("name")) || null, role, ...flagsOf(flags) };
    invite.mutate(body, { onSuccess: (made) => (onInvited(made), onClose()) });
  };
  return (
    <Modal opened onClose={onClose} title={t("settings.invite")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={invite.error} />
          <TextInput name="email" type="email" label={t("settings.email")} required data-autofocus />
          <TextInput name="name" label={t("settings.nameIfKnown")} maxLength={100} />
          <Rights role={role} flags={flags} onRole={(chosen) => (setRole(chosen), setFlags(PRESETS[chosen]))} onFlags={setFlags} />
          <Group justify="flex-end">
            <Button type="submit" loading={invite.isPending}>
              {t("settings.sendInvitation")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Edit({ user, onClose }: { user: Schemas["UserView"]; onClose: () => void }) {
  const t = useMessages();
  const [role, setRole] = useState<Role>(user.role as Role);
  const [flags, setFlags] = useState<string[]>(FLAGS.filter((flag) => user[flag]));
  const change = useChange(user);
  return (
    <Modal opened onClose={onClose} title={user.email} closeButtonProps={{ "aria-label": t("common.close") }}>
      <Stack>
        <ErrorNote error={change.error} />
        <Rights role={role} flags={flags} onRole={(chosen) => (setRole(chosen), setFlags(PRESETS[chosen]))} onFlags={setFlags} />
        <Group justify="flex-end">
          <Button loading={change.isPending} onClick={() => change.mutate({ role, ...flagsOf(flags) }, { onSuccess: onClose })}>
            {t("common.save")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
