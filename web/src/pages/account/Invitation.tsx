import { TextInput } from "@mantine/core";
import { api, ok } from "../../api/client";
import { useMessages } from "../../i18n";
import { AccountForm, useEntry, useLinkToken } from "./AccountForm";
import { LinkMissing } from "./LinkMissing";
import { Password } from "./Password";

/** Where an invitation's mail leads. */
export default function Invitation() {
  const t = useMessages();
  const enter = useEntry();
  const token = useLinkToken();
  if (!token) return <LinkMissing title={t("account.invitationTitle")} />;
  return (
    <AccountForm
      title={t("account.invitationTitle")}
      text={t("account.invitationHint")}
      submit={t("account.join")}
      onSubmit={async ({ password = "", name }) =>
        enter(await ok(api.POST("/api/invitations/accept", { body: { token, password, name: name || null } })))
      }
    >
      <TextInput name="name" label={t("account.yourName")} autoComplete="name" size="md" />
      <Password isNew />
    </AccountForm>
  );
}
