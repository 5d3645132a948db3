import { Button } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { type Permission, useMe } from "../api/me";
import { Empty } from "../components/Empty";
import { Page } from "../components/Page";
import { useMessages } from "../i18n";

/** Shows its content to those who may see it. The API refuses all the same; this saves them the refusal. */
export function Gate({ needs, children }: { needs?: Permission | undefined; children: ReactNode }) {
  const t = useMessages();
  const { can } = useMe();
  if (!needs || can(needs)) return children;
  return (
    <Page title={t("common.forbidden")} isTitleHidden>
      <Empty icon={IconLock} title={t("common.forbidden")} text={t("common.forbiddenHint")}>
        <Button component={Link} to="/app" variant="default">
          {t("common.toHome")}
        </Button>
      </Empty>
    </Page>
  );
}
