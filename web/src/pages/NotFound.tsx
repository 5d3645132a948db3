import { Button } from "@mantine/core";
import { IconMapPinOff } from "@tabler/icons-react";
import { Link } from "react-router";
import { Empty } from "../components/Empty";
import { Page } from "../components/Page";
import { useMessages } from "../i18n";

export default function NotFound() {
  const t = useMessages();
  return (
    <Page title={t("common.notFound")} isTitleHidden>
      <Empty icon={IconMapPinOff} title={t("common.notFound")} text={t("common.notFoundHint")}>
        <Button component={Link} to="/" variant="default">
          {t("common.toHome")}
        </Button>
      </Empty>
    </Page>
  );
}
