import { Anchor, Button, Checkbox, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { IconWebhook } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { Link } from "react-router";
import { given, useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { ShownOnce } from "../../components/Shown";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import { typed } from "./Account";

export const WEBHOOKS = ["webhooks"];

/** The addresses that are told what happens. */
export function Webhooks() {
  const t = useMessages();
  const [isOpen, setOpen] = useState(false);
  const [made, setMade] = useState<Schemas["EndpointMade"] | null>(null);
  const endpoints = useQuery({ queryKey: WEBHOOKS, queryFn: () => ok(api.GET("/api/webhooks")) });
  return (
    <Panel title={t("settings.webhooks")} text={t("settings.webhooksText")} isList actions={<Button onClick={() => setOpen(true)}>{t("settings.addWebhook")}</Button>}>
      {made && <ShownOnce title={t("settings.secretOnce")} text={t("settings.secretText")} secret={made.secret} onClose={() => setMade(null)} />}
      <ErrorNote error={endpoints.error} onRetry={() => void endpoints.refetch()} />
      {endpoints.data?.endpoints.length === 0 && <Empty icon={IconWebhook} title={t("settings.noWebhooks")} text={t("settings.noWebhooksText")} />}
      {endpoints.data?.endpoints.map((each) => (
        <Line
          key={each.id}
          title={<Anchor component={Link} to={each.id} fz="sm">{each.url}</Anchor>}
          text={[each.description, eventsText(each.events, t)].filter(Boolean).join(" · ")}
          actions={<StateBadge state={each.is_active ? (each.failing_since ? "failed" : "active") : "inactive"} />}
        />
      ))}
      {isOpen && <EditWebhook endpoint={null} onClose={() => setOpen(false)} onMade={setMade} />}
    </Panel>
  );
}

/** Returns in words what an endpoint is told. */
export function eventsText(events: readonly string[], t: ReturnType<typeof useMessages>): string {
  return events.includes("*") ? t("settings.allEvents") : events.join(", ");
}

interface Editing {
  endpoint: Schemas["EndpointView"] | null;
  onClose: () => void;
  onMade?: (made: Schemas["EndpointMade"]) => void;
}

/** Adds an endpoint, or changes one: its address and the events it is told of. */
export function EditWebhook({ endpoint, onClose, onMade }: Editing) {
  const t = useMessages();
  const [events, setEvents] = useState<string[]>(endpoint?.events ?? ["*"]);
  const types = useQuery({ queryKey: ["event-types"], staleTime: Infinity, queryFn: () => ok(api.GET("/api/webhooks/event-types")) });
  const save = useAct(async ({ url, description }: { url: string; description: string }) => {
    const fields = { url, description, events };
    if (endpoint) await ok(api.PATCH("/api/webhooks/{id}", { params: { path: { id: endpoint.id } }, body: given<Schemas["EndpointChange"]>(fields) }));
    else onMade?.(await ok(api.POST("/api/webhooks", { body: given<Schemas["EndpointBody"]>(fields) })));
  }, WEBHOOKS);
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    const { url = "", description = "" } = typed(event);
    save.mutate({ url, description }, { onSuccess: onClose });
  };
  const isAll = events.includes("*");
  return (
    <Modal opened onClose={onClose} size="lg" title={t(endpoint ? "settings.editWebhook" : "settings.addWebhook")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={save.error ?? types.error} />
          <TextInput name="url" type="url" label={t("settings.address")} description={t("settings.addressHint")} required defaultValue={endpoint?.url ?? ""} data-autofocus />
          <TextInput name="description" label={t("settings.description")} maxLength={255} defaultValue={endpoint?.description ?? ""} />
          <Checkbox label={t("settings.allEvents")} checked={isAll} onChange={(event) => setEvents(event.currentTarget.checked ? ["*"] : ["document.processed"])} />
          {!isAll && (
            <Checkbox.Group label={t("settings.events")} value={events} onChange={setEvents}>
              <Group gap="xs" mt="xs">
                {choices(types.data?.event_types ?? [], events).map((name) => (
                  <Checkbox key={name} value={name} label={name} w={{ base: "100%", xs: 210 }} />
                ))}
              </Group>
            </Checkbox.Group>
          )}
          <Group justify="space-between">
            <Text fz="xs" c="dimmed">
              {isAll ? "" : t("settings.chosenEvents", { count: events.length })}
            </Text>
            <Button type="submit" loading={save.isPending} disabled={events.length === 0}>
              {t(endpoint ? "common.save" : "common.create")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Returns what can be chosen: each kind as a whole, then its events; and what is chosen already, so that it stays. */
function choices(types: readonly Schemas["EventType"][], chosen: readonly string[]): string[] {
  const known = [...new Set(types.flatMap(({ group, name }) => [group, name]))].sort();
  return [...known, ...chosen.filter((name) => !known.includes(name))];
}
