import { Anchor, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link, useNavigate } from "react-router";
import { api, ok } from "../../api/client";
import { forget } from "../../api/session";
import { useMessages } from "../../i18n";
import { AccountForm, useLinkToken } from "./AccountForm";
import { Password } from "./Password";

/** Where the mail of a forgotten password leads; without its token, the form that has the mail sent. */
export default function PasswordReset() {
  const t = useMessages();
  const navigate = useNavigate();
  const token = useLinkToken();
  if (!token) return <Forgotten />;
  return (
    <AccountForm
      title={t("account.resetTitle")}
      text={t("account.resetHint")}
      submit={t("account.setPassword")}
      onSubmit={async ({ password = "" }) => {
        const { message } = await ok(api.POST("/api/password/reset", { body: { token, password } }));
        forget();
        notifications.show({ message });
        void navigate("/login", { replace: true });
      }}
    >
      <Password isNew />
    </AccountForm>
  );
}

function Forgotten() {
  const t = useMessages();
  const navigate = useNavigate();
  return (
    <AccountForm
      title={t("account.forgotTitle")}
      text={t("account.forgotHint")}
      submit={t("account.sendLink")}
      below={
        <Anchor component={Link} to="/login" fz="sm">
          {t("common.signIn")}
        </Anchor>
      }
      onSubmit={async ({ email = "" }) => {
        const { message } = await ok(api.POST("/api/password/forgot", { body: { email, tenant_subdomain: null } }));
        notifications.show({ message });
        void navigate("/login");
      }}
    >
      <TextInput name="email" type="email" label={t("account.email")} autoComplete="username" required size="md" />
    </AccountForm>
  );
}
