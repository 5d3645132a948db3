import { Anchor, Progress, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link } from "react-router";
import { api, ok } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { Line } from "../../components/Panel";
import { useMessages } from "../../i18n";

const EVERY_MS = 1_000;

/** How another try goes, until it has ended: how many documents are ready, how many failed again. */
export function Replayed({ job, total, stale }: { job: string; total: number; stale: string[] }) {
  const t = useMessages();
  const queries = useQueryClient();
  const batch = useQuery({
    queryKey: ["batches", job],
    refetchInterval: ({ state }) => (state.data?.finished_at ? false : EVERY_MS),
    queryFn: () => ok(api.GET("/api/batches/{id}", { params: { path: { id: job } } })),
  });
  const isOver = Boolean(batch.data?.finished_at);
  // What failed again is among the dead letters once more, with the reason of this time.
  useEffect(() => {
    if (isOver) void queries.invalidateQueries({ queryKey: stale });
  }, [isOver]);
  const { processed = 0, failed = 0 } = batch.data?.totals ?? {};
  return (
    <Line
      title={
        <span role="status">
          {isOver ? t("admin.triedAgain", { ready: processed, total }) : t("admin.replayed", { count: total })}
          {failed > 0 && ` · ${t("admin.failedAgain", { count: failed })}`}
        </span>
      }
      text={
        <Anchor component={Link} to="/app/knowledge" fz="xs">
          {t("admin.toDocuments")}
        </Anchor>
      }
      actions={<Text fz="sm">{Math.round((100 * (processed + failed)) / Math.max(1, total))} %</Text>}
    >
      <ErrorNote error={batch.error} />
      <Progress.Root size="sm" mt={8}>
        <Progress.Section value={(100 * processed) / Math.max(1, total)} color="teal" aria-label={t("admin.triedAgain", { ready: processed, total })} />
        <Progress.Section value={(100 * failed) / Math.max(1, total)} color="red" aria-label={t("admin.failedAgain", { count: failed })} />
      </Progress.Root>
    </Line>
  );
}
