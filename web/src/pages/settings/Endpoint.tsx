import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { ConfirmButton } from "../../components/ConfirmButton";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Panel } from "../../components/Panel";
import { ShownOnce } from "../../components/Shown";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import { badgeOf, Deliveries } from "./Deliveries";
import { EditWebhook, eventsText, WEBHOOKS } from "./Webhooks";

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
          <Text fz="sm">{eventsText(endpoint.events, t)}</Text>
        </Group>
        {endpoint.disabled_reason && (
          <Text fz="sm" c="var(--mantine-color-error)">
            {t("settings.disabledBecause", { reason: t(`settings.disabled_${endpoint.disabled_reason}`) })}
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
