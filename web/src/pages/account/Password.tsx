import { PasswordInput } from "@mantine/core";
import { useMessages } from "../../i18n";

/** As few as the API takes (`pipelines/identity/passwords.py`). */
const MIN_CHARS = 10;

/** A password to type; a new one says how long it must be. */
export function Password({ isNew = false, label }: { isNew?: boolean; label?: string }) {
  const t = useMessages();
  const rules = { description: t("account.passwordHint", { count: MIN_CHARS }), minLength: MIN_CHARS };
  return (
    <PasswordInput
      name="password"
      label={label ?? t(isNew ? "account.newPassword" : "account.password")}
      autoComplete={isNew ? "new-password" : "current-password"}
      visibilityToggleButtonProps={{ "aria-label": t("account.show"), tabIndex: 0 }}
      required
      size="md"
      {...(isNew && rules)}
    />
  );
}
