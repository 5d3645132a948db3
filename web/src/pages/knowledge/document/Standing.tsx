import { Alert, Button, Group, Progress, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, ok, type Schemas } from "../../../api/client";
import { useMe } from "../../../api/me";
import { ErrorNote } from "../../../components/ErrorNote";
import { useMessages } from "../../../i18n";
import classes from "../knowledge.module.css";
import { isLockedBy, useProgressText, useReason } from "../progress";
import { Unlock } from "./Unlock";

/** Where a document stands that is not ready: how far it is and why it waits, or why it failed and what to do. */
export function Standing({ document }: { document: Schemas["DocumentView"] }) {
  const t = useMessages();
  const { can } = useMe();
  const client = useQueryClient();
  const progress = useProgressText(document);
  const at = { params: { path: { id: document.id } } };
  const settled = { onSettled: () => client.invalidateQueries({ queryKey: ["documents"] }) };
  const retry = useMutation({ mutationFn: () => ok(api.POST("/api/jobs/{id}/retry", at)), ...settled });
  const cancel = useMutation({ mutationFn: () => ok(api.DELETE("/api/jobs/{id}", at)), ...settled });
  const reason = useReason();
  const isLocked = isLockedBy(document.code);
  const isMine = can("documents:write");
  if (document.status === "processed") return null;
  if (document.status === "failed" || document.status === "cancelled")
    return (
      <Alert color={document.status === "failed" ? "red" : "gray"} title={t(document.status === "failed" ? "knowledge.failedTitle" : "knowledge.cancelledTitle")}>
        <Text fz="sm">{reason(document.code, [document.detail, document.remedy].filter(Boolean).join(" "))}</Text>
        {document.searchable && (
          <Text fz="sm" mt={4}>
            {t("knowledge.oldAnswers", { version: document.version })}
          </Text>
        )}
        {isMine && isLocked && <Unlock document={document} />}
        {isMine && !isLocked && (
          <Button size="xs" variant="default" mt="xs" loading={retry.isPending} onClick={() => retry.mutate()}>
            {t("common.retry")}
          </Button>
        )}
        <ErrorNote error={retry.error} />
      </Alert>
    );
  const share = document.total ? (100 * (document.done ?? 0)) / document.total : 0;
  return (
    <section className={classes.panel} style={{ padding: "14px 18px" }}>
      <Group justify="space-between" mb={8}>
        <Text fz="sm" role="status">
          {progress || t(document.status === "queued" ? "common.queued" : "common.running")}
        </Text>
        {isMine && (
          <Button size="compact-sm" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            {t("common.cancel")}
          </Button>
        )}
      </Group>
      <Progress value={share} aria-label={t("common.running")} />
      <ErrorNote error={cancel.error} />
    </section>
  );
}
