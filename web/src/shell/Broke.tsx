import { Button, Code, Stack, Text, Title } from "@mantine/core";
import { isRouteErrorResponse, useRouteError } from "react-router";
import { useMessages } from "../i18n";

/** What stands in place of a page that threw; the rest of the application goes on. */
export function Broke() {
  const t = useMessages();
  const thrown = useRouteError();
  const why = isRouteErrorResponse(thrown) ? `${thrown.status} ${thrown.statusText}` : String(thrown);
  return (
    <Stack component="main" id="content" align="flex-start" maw={640} mx="auto" p="xl" gap="md" role="alert">
      <Title order={1}>{t("common.broke")}</Title>
      <Text c="dimmed">{t("common.brokeHint")}</Text>
      <Code block w="100%">
        {why}
      </Code>
      <Button onClick={() => window.location.reload()}>{t("common.reload")}</Button>
    </Stack>
  );
}
