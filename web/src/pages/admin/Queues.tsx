import { Anchor, Progress, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ok } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Line, Panel } from "../../components/Panel";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import { fullness } from "./health";

const EVERY_MS = 2_000;

/** Every queue: how much waits in it and who takes from it, as it is now. */
export function Queues() {
  const t = useMessages();
  const queues = useQuery({ queryKey: ["queues"], refetchInterval: EVERY_MS, queryFn: () => ok(api.GET("/admin/queues")) });
  if (queues.error) return <ErrorNote error={queues.error} onRetry={() => void queues.refetch()} />;
  if (!queues.data) return <Loading />;
  const { flower_url } = queues.data;
  return (
    <Panel
      title={t("admin.queues")}
      text={
        flower_url ? (
          <>
            {t("admin.queuesText")}{" "}
            <Anchor href={flower_url} target="_blank" rel="noreferrer" underline="always">
              {t("admin.flower")}
            </Anchor>
          </>
        ) : (
          `${t("admin.queuesText")} ${t("admin.flowerElsewhere")}`
        )
      }
      isList
    >
      {queues.data.queues.map((queue) => (
        <Line
          key={queue.name}
          title={queue.name}
          text={queue.workers.length ? queue.workers.join(", ") : t("admin.noWorker")}
          actions={
            <>
              <Text fz="sm">{t("admin.waiting", { count: queue.waiting })}</Text>
              <StateBadge state={queue.workers.length ? "active" : "failed"} label={t("admin.workers", { count: queue.workers.length })} />
            </>
          }
        >
          {queue.waiting > 0 && <Progress value={fullness(queue.waiting)} size="xs" mt={8} aria-label={t("admin.waiting", { count: queue.waiting })} />}
        </Line>
      ))}
    </Panel>
  );
}
