import { Anchor, TextInput } from "@mantine/core";
import { Link, useLocation } from "react-router";
import { api, ok } from "../../api/client";
import { useMessages } from "../../i18n";
import { AccountForm, useEntry } from "./AccountForm";
import { Password } from "./Password";

export default function Login() {
  const t = useMessages();
  const enter = useEntry();
  const { state } = useLocation();
  const below = (
    <>
      {t("account.noAccount")}{" "}
      <Anchor component={Link} to="/register" state={state} fz="sm">
        {t("common.signUp")}
      </Anchor>
    </>
  );
  return (
    <AccountForm
      title={t("account.signInTitle")}
      submit={t("common.signIn")}
      below={below}
      onSubmit={async ({ email = "", password = "", tenant_subdomain }) =>
        enter(await ok(api.POST("/api/login", { body: { email, password, tenant_subdomain: tenant_subdomain || null } })))
      }
    >
      {(problem) => (
        <>
          <TextInput name="email" type="email" label={t("account.email")} autoComplete="username" required size="md" />
          <div>
            <Password />
            <Anchor component={Link} to="/password-reset" fz="sm" mt={6} display="inline-block">
              {t("account.forgot")}
            </Anchor>
          </div>
          {problem?.code === "wrong_login" && (
            <TextInput name="tenant_subdomain" label={t("account.organization")} description={t("account.organizationHint")} size="md" />
          )}
        </>
      )}
    </AccountForm>
  );
}
