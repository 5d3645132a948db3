import { Button } from "@mantine/core";
import { IconMailOpened } from "@tabler/icons-react";
import { Link } from "react-router";
import { Empty } from "../../components/Empty";
import { Page } from "../../components/Page";
import { useMessages } from "../../i18n";

/** For who comes without the token that a mail's link carries. */
export function LinkMissing({ title }: { title: string }) {
  const t = useMessages();
  return (
    <Page title={title} isTitleHidden width="reading">
      <Empty icon={IconMailOpened} title={title} text={t("account.linkMissing")}>
        <Button component={Link} to="/login" variant="default">
          {t("common.signIn")}
        </Button>
      </Empty>
    </Page>
  );
}
