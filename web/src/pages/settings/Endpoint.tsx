import { Anchor, Button, Group, Modal, NativeSelect, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { useRows } from "../../api/pages";
import { ConfirmButton } from "../../components/ConfirmButton";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Line, Panel } from "../../components/Panel";
import { RowList } from "../../components/RowList";
import { ShownOnce } from "../../components/Shown";
import { StateBadge } from "../../components/StateBadge";
import classes from "../../components/ways.module.css";
import { useMessages } from "../../i18n";
import { EditWebhook, WEBHOOKS } from "./Webhooks";

const FOLLOWED_MS = 3_000;

/** One endpoint: what it is told, its secret, a test, and everything that was sent there. */
export function Endpoint() {
  const { id = "" } = useParams();
  const endpoint = useQuery({ queryKey: [...WEBHOOKS, id], queryFn: () => ok(api.GET("/api/webhooks/{id}", { params: { path: { id } } })) });
  if (endpoint.error) return <ErrorNote error={endpoint.error} onRetry={() => void endpoint.refetch()} />;
  if (!endpoint.data) return <Loading />;
  return (
    <>
      <About endpoint={endpoint.data} />
      <Deliveries id={id} />
    </>
  );
}

function About({ endpoint }: { endpoint: Schemas["EndpointView"] }) {
  const t = useMessages();
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const [made, setMade] = useState<Schemas["EndpointMade"] | null>(null);
  const params = { path: { id: endpoint.id } };
  const test = useAct(() => ok(api.POST("/api/webhooks/{id}/test", { params, headers: { Prefer: "wait=15" } })), WEBHOOKS, ["deliveries"]);
  const rotate = useAct(() => ok(api.POST("/api/webhooks/{id}/rotate", { params })), WEBHOOKS);
  const enable = useAct(() => ok(api.POST("/api/webhooks/{id}/enable", { params })), WEBHOOKS);
  const remove = useAct(() => ok(api.DELETE("/api/webhooks/{id}", { params })));
  return (
    <Panel title={endpoint.url} text={
        <Anchor component={Link} to="/app/settings/webhooks" fz="sm">
          ← {t("settings.webhooks")}
        </Anchor>
      }>
      <Stack>
        <Group gap="lg">
          <StateBadge state={endpoint.is_active ? (endpoint.failing_since ? "failed" : "active") : "inactive"} />
          <Text fz="sm">{endpoint.events.join(", ")}</Text>
        </Group>
        {endpoint.disabled_reason && (
          <Text fz="sm" c="var(--mantine-color-error)">
            {t("settings.disabledBecause", { reason: endpoint.disabled_reason })}
          </Text>
        )}
        {made && <ShownOnce title={t("settings.secretOnce")} text={t("settings.rotatedText")} secret={made.secret} onClose={() => setMade(null)} />}
        <ErrorNote error={test.error ?? enable.error} />
        {test.data && (
          <Text role="status" fz="sm">
            <StateBadge {...badgeOf(test.data.status)} /> {test.data.status_code ?? test.data.error_code ?? ""}
          </Text>
        )}
        <Group gap="xs">
          <Button loading={test.isPending} onClick={() => test.mutate()}>
            {t("settings.sendTest")}
          </Button>
          <Button variant="default" onClick={() => setOpen(true)}>
            {t("common.edit")}
          </Button>
          {!endpoint.is_active && (
            <Button variant="default" loading={enable.isPending} onClick={() => enable.mutate()}>
              {t("settings.activate")}
            </Button>
          )}
          <ConfirmButton title={t("settings.rotateSecret")} text={t("settings.rotateSecretText")} confirm={t("settings.rotate")} onConfirm={async () => setMade(await rotate.mutateAsync())}>
            {t("settings.rotateSecret")}
          </ConfirmButton>
          <ConfirmButton
            title={t("settings.removeWebhook")}
            text={t("settings.removeWebhookText")}
            confirm={t("common.delete")}
            onConfirm={async () => {
              await remove.mutateAsync();
              void navigate("/app/settings/webhooks");
            }}
          >
            {t("common.delete")}
          </ConfirmButton>
        </Group>
      </Stack>
      {isOpen && <EditWebhook endpoint={endpoint} onClose={() => setOpen(false)} />}
    </Panel>
  );
}

const STATUSES = ["", "pending", "delivered", "failed"] as const;
type Status = Exclude<(typeof STATUSES)[number], "">;

function badgeOf(status: string): { state: string; label?: string } {
  if (status === "delivered") return { state: "completed" };
  return status === "failed" ? { state: "failed" } : { state: "queued" };
}

function Deliveries({ id }: { id: string }) {
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
  return (
    <Panel
      title={t("settings.deliveries")}
      text={t("settings.deliveriesText")}
      isList
      actions={
        <NativeSelect
          aria-label={t("settings.state")}
          value={status}
          onChange={(event) => setStatus(event.currentTarget.value as "" | Status)}
          data={STATUSES.map((value) => ({ value, label: t(value ? `settings.delivery_${value}` : "settings.delivery_all") }))}
        />
      }
    >
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
