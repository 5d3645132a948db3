import { Alert, Button, CopyButton, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { asProblem } from "../api/problem";
import { useMessages, useSentence } from "../i18n";

/** What went wrong, in the user's language or the API's own words, with its trace id for whoever looks into the log. Nothing for no error. */
export function ErrorNote({ error, onRetry, title }: { error: unknown; onRetry?: () => void; title?: string }) {
  const t = useMessages();
  const sentence = useSentence();
  if (!error) return null;
  const problem = asProblem(error);
  return (
    <Alert role="alert" variant="light" color="red" icon={<IconAlertTriangle aria-hidden />} title={title ?? t("common.failed")}>
      <Stack gap="xs" align="flex-start">
        <Text fz="sm">{sentence(problem)}</Text>
        {(onRetry || problem.traceId) && (
          <Group gap="sm">
            {onRetry && (
              <Button size="xs" variant="default" onClick={onRetry}>
                {t("common.retry")}
              </Button>
            )}
            {problem.traceId && (
              <CopyButton value={problem.traceId}>
                {({ copied, copy }) => (
                  <Button size="xs" variant="subtle" color="gray" onClick={copy} title={problem.traceId}>
                    {copied ? t("common.copied") : t("common.copyTraceId")}
                  </Button>
                )}
              </CopyButton>
            )}
          </Group>
        )}
      </Stack>
    </Alert>
  );
}
