import { Anchor, TextInput } from "@mantine/core";
import { Link } from "react-router";
import { api, ok } from "../../api/client";
import { useMessages } from "../../i18n";
import { AccountForm, useEntry } from "./AccountForm";
import { Password } from "./Password";

export default function Register() {
  const t = useMessages();
  const enter = useEntry();
  const below = (
    <>
      {t("account.haveAccount")}{" "}
      <Anchor component={Link} to="/login" fz="sm">
        {t("common.signIn")}
      </Anchor>
    </>
  );
  return (
    <AccountForm
      title={t("account.registerTitle")}
      text={t("account.registerHint")}
      submit={t("account.create")}
      below={below}
      onSubmit={async ({ organization_name = "", email = "", password = "", name }) =>
        enter(await ok(api.POST("/api/signup", { body: { organization_name, email, password, name: name || null, subdomain: null } })))
      }
    >
      <TextInput name="organization_name" label={t("account.organizationName")} autoComplete="organization" required size="md" />
      <TextInput name="name" label={t("account.yourName")} autoComplete="name" size="md" />
      <TextInput name="email" type="email" label={t("account.email")} autoComplete="username" required size="md" />
      <Password label={t("account.password")} isNew />
    </AccountForm>
  );
}
