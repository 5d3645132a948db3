import { Button, Group, Modal, NativeSelect, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useAct } from "../../api/acts";
import { api, ok } from "../../api/client";
import { useRows } from "../../api/pages";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { RowList } from "../../components/RowList";
import { StateBadge } from "../../components/StateBadge";
import classes from "../../components/ways.module.css";
import { useMessages } from "../../i18n";

const FOLLOWED_MS = 3_000;
const KEPT_MS = 30 * 86_400_000;
const STATUSES = ["", "pending", "delivered", "failed"] as const;
type Status = Exclude<(typeof STATUSES)[number], "">;

/** Returns the badge of a delivery. */
export function badgeOf(status: string): { state: string; label?: string } {
  if (status === "delivered") return { state: "completed" };
  return status === "failed" ? { state: "failed" } : { state: "queued" };
}

/** Everything that was sent to an endpoint, with every try, and the way to send it again. */
export function Deliveries({ id }: { id: string }) {
  const t = useMessages();
  const [status, setStatus] = useState<"" | Status>("");
  const [shown, setShown] = useState<string | null>(null);
  const deliveries = useRows(
    ["deliveries", id, status],
    async (after) => {
      const query = { limit: 50, after: after ?? null, status: status || null };
      const page = await ok(api.GET("/api/webhooks/{id}/deliveries", { params: { path: { id }, query } }));
      return { rows: page.deliveries, next: page.next };
    },
    { refetchInterval: FOLLOWED_MS },
  );
  const again = useAct(() => {
    const now = Date.now();
    const body = { from: new Date(now - KEPT_MS).toISOString(), to: new Date(now).toISOString(), status: "failed" as const };
    return ok(api.POST("/api/webhooks/{id}/replay", { params: { path: { id } }, body }));
  }, ["deliveries"]);
  return (
    <Panel
      title={t("settings.deliveries")}
      text={t("settings.deliveriesText")}
      isList
      actions={
        <>
          <Button variant="default" loading={again.isPending} onClick={() => again.mutate()}>
            {t("settings.sendFailedAgain")}
          </Button>
          <NativeSelect
            aria-label={t("settings.state")}
            value={status}
            onChange={(event) => setStatus(event.currentTarget.value as "" | Status)}
            data={STATUSES.map((value) => ({ value, label: t(value ? `settings.delivery_${value}` : "settings.delivery_all") }))}
          />
        </>
      }
    >
      <ErrorNote error={again.error} />
      {again.data && <Line title={<span role="status">{t("settings.sentAgain", { count: again.data.queued })}</span>} />}
      <RowList rows={deliveries} rowKey={(each) => each.id} label={t("settings.deliveries")} guessPx={64} height="28rem" empty={<Empty title={t("settings.noDeliveries")} />}>
        {(each) => (
          <Line
            title={each.event_type}
            text={
              <>
                <DateTime at={each.created_at} /> · {t("settings.tries", { count: each.attempts })}
                {each.status_code ? ` · HTTP ${each.status_code}` : ""}
                {each.error_code ? ` · ${each.error_code}` : ""}
                {each.replay_of ? ` · ${t("settings.isReplay")}` : ""}
              </>
            }
            actions={
              <>
                <StateBadge {...badgeOf(each.status)} />
                <Button size="xs" variant="default" onClick={() => setShown(each.id)}>
                  {t("settings.look")}
                </Button>
              </>
            }
          />
        )}
      </RowList>
      {shown && <Delivery id={shown} onClose={() => setShown(null)} />}
    </Panel>
  );
}

function Delivery({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useMessages();
  const params = { path: { id } };
  const delivery = useQuery({ queryKey: ["delivery", id], queryFn: () => ok(api.GET("/api/webhooks/deliveries/{id}", { params })) });
  const replay = useAct(() => ok(api.POST("/api/webhooks/deliveries/{id}/replay", { params })), ["deliveries"]);
  const found = delivery.data;
  return (
    <Modal opened onClose={onClose} size="xl" title={found?.event_type ?? t("common.loading")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <ErrorNote error={delivery.error ?? replay.error} />
      {!found && !delivery.error && <Skeleton h={160} />}
      {found && (
        <Stack>
          <Raw title={t("settings.request")} value={JSON.stringify(found.payload, null, 2)} />
          {found.tries.map((each) => (
            <Stack key={each.attempt} gap="xs">
              <Text fz="sm" fw={550}>
                {t("settings.try_", { number: each.attempt })} · {each.status_code ? `HTTP ${each.status_code}` : each.error_code} · {each.duration_ms} ms ·{" "}
                <DateTime at={each.at} isExact />
              </Text>
              {each.error_detail && <Text fz="sm">{each.error_detail}</Text>}
              <Raw title={t("settings.requestHeaders")} value={headersOf(each.request_headers)} />
              <Raw title={t("settings.response")} value={[headersOf(each.response_headers), each.response_body].filter(Boolean).join("\n\n")} />
            </Stack>
          ))}
          <Group justify="flex-end">
            <Button loading={replay.isPending} onClick={() => replay.mutate(undefined, { onSuccess: onClose })}>
              {t("settings.sendAgain")}
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

const headersOf = (headers: Record<string, string>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");

function Raw({ title, value }: { title: string; value: string }) {
  if (!value) return null;
  return (
    <div>
      <Text fz="xs" c="dimmed" mb={4}>
        {title}
      </Text>
      <pre className={classes.code} role="group" tabIndex={0} aria-label={title}>
        {value}
      </pre>
    </div>
  );
}
