import { Anchor, TextInput } from "@mantine/core";
import { Link, Navigate, useLocation } from "react-router";
import { api, ok } from "../../api/client";
import { useMe } from "../../api/me";
import { useMessages } from "../../i18n";
import { AccountForm, entrance, useEntry } from "./AccountForm";
import { Password } from "./Password";

export default function Login() {
  const t = useMessages();
  const enter = useEntry();
  const { state } = useLocation();
  const { me } = useMe();
  const below = (
    <>
      {t("account.noAccount")}{" "}
      <Anchor component={Link} to="/register" state={state} fz="sm">
        {t("common.signUp")}
      </Anchor>
    </>
  );
  // Somebody comes back to an old bookmark. On one's own machine there is nobody to be, and signing in is a wish.
  if (me?.kind === "user") return <Navigate to={entrance(state)} replace />;
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
