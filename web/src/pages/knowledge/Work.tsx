import { Anchor, Button, Group, Stack, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconChevronDown, IconChevronUp, IconStack2 } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link } from "react-router";
import { body } from "../../api/body";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { useRows } from "../../api/pages";
import { ConfirmButton } from "../../components/ConfirmButton";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { Page } from "../../components/Page";
import { RowList } from "../../components/RowList";
import { StateBadge } from "../../components/StateBadge";
import { useTold } from "../../components/useTold";
import { useMessages } from "../../i18n";
import { Bar } from "./Bar";
import { workEvents } from "./follow";
import classes from "./knowledge.module.css";
import { useReason, useWaiting } from "./progress";
import { Tabs } from "./Tabs";
import { twins } from "./uploads/twins";

type Batch = Schemas["BatchView"];
const PAGE = 30;

/** What is worked on together: uploads, addresses, archives, re-indexing; each with its files, and its reins. */
export default function Work() {
  const t = useMessages();
  const { can } = useMe();
  const rows = useRows(["batches"], async (after, signal) => {
    const query = { limit: PAGE, ...(after ? { after } : {}) };
    const page = await ok(api.GET("/api/batches", { params: { query }, signal }));
    return { rows: page.batches, next: page.next };
  });
  return (
    <Page title={t("knowledge.title")} text={t("knowledge.workText")} actions={can("documents:write") && <Reindex />}>
      <Tabs />
      <RowList
        rows={rows}
        rowKey={(row) => row.id}
        label={t("knowledge.work")}
        guessPx={86}
        height="max(24rem, calc(100dvh - 15rem))"
        empty={<Empty icon={IconStack2} title={t("knowledge.noWork")} text={t("knowledge.noWorkText")} />}
      >
        {(row) => <BatchRow id={row.id} summary={row} />}
      </RowList>
    </Page>
  );
}

function Reindex() {
  const t = useMessages();
  const client = useQueryClient();
  const again = async () => {
    const taken = await ok(api.POST("/api/documents/reindex", { body: body<Schemas["ReindexManyBody"]>({ stale: true }) }));
    notifications.show({ message: t("knowledge.reindexing", { count: taken.documents }) });
    await client.invalidateQueries({ queryKey: ["batches"] });
  };
  return (
    <ConfirmButton title={t("knowledge.reindexStale")} text={t("knowledge.reindexStaleText")} confirm={t("knowledge.reindex")} color="teal" onConfirm={again}>
      {t("knowledge.reindexStale")}
    </ConfirmButton>
  );
}

function BatchRow({ id, summary }: { id: string; summary: Schemas["BatchSummary"] }) {
  const t = useMessages();
  const waiting = useWaiting();
  const [isOpen, { toggle }] = useDisclosure();
  const batch = useBatch(id, summary.state === "running" || summary.state === "paused");
  const totals = batch?.totals;
  const bad = totals ? totals.failed + totals.refused : 0;
  return (
    <article style={{ padding: "12px 18px" }}>
      <Group justify="space-between" gap="xs" mb={6}>
        <UnstyledButton onClick={toggle} aria-expanded={isOpen} miw={0} flex="1 1 12rem">
          <Group gap={6} wrap="nowrap">
            {isOpen ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />}
            <Text fz="sm" fw={600} truncate>
              {summary.name || t("knowledge.unnamed")}
            </Text>
          </Group>
        </UnstyledButton>
        <Group gap="sm">
          <StateBadge state={bad > 0 && batch?.state === "completed" ? "failed" : (batch?.state ?? summary.state)} {...(bad > 0 && batch?.state === "completed" ? { label: t("knowledge.notRead", { count: bad }) } : {})} />
          {batch && <Reins batch={batch} />}
        </Group>
      </Group>
      {totals && (
        <>
          <Bar ready={totals.processed} inWork={totals.running} bad={bad + totals.cancelled} total={totals.total} />
          <Text fz="xs" c="dimmed" mt={6}>
            <DateTime at={summary.created_at} /> · {t("knowledge.readyOf", { ready: totals.processed, total: totals.total })}
            {totals.queued + totals.running > 0 && ` · ${t("knowledge.inWork", { count: totals.queued + totals.running })}`}
            {bad > 0 && ` · ${t("knowledge.notRead", { count: bad })}`}
            {batch.remaining_s != null && batch.state === "running" && ` · ${t("knowledge.minutesLeft", { count: Math.ceil(batch.remaining_s / 60) })}`}
            {batch.waiting_for && ` · ${waiting(batch.waiting_for)}`}
          </Text>
        </>
      )}
      {isOpen && batch && <Items batch={batch} />}
    </article>
  );
}

function Reins({ batch }: { batch: Batch }) {
  const t = useMessages();
  const told = useTold();
  const { can } = useMe();
  const client = useQueryClient();
  const at = { params: { path: { id: batch.id } } };
  const act = useMutation({
    mutationFn: (what: "pause" | "resume" | "retry" | "cancel") =>
      what === "cancel" ? ok(api.DELETE("/api/jobs/{id}", at)) : ok(api.POST(`/api/jobs/{id}/${what}`, at)),
    onSettled: () => client.invalidateQueries({ queryKey: ["batches"] }),
    onError: told,
  });
  if (!can("documents:write")) return null;
  const isOpen = batch.state === "running" || batch.state === "paused";
  const canRetry = !isOpen && batch.totals.failed + batch.totals.cancelled > 0;
  const button = (what: "pause" | "resume" | "retry" | "cancel", label: string) => (
    <Button size="compact-xs" variant="default" loading={act.isPending && act.variables === what} onClick={() => act.mutate(what)}>
      {label}
    </Button>
  );
  return (
    <Group gap={6}>
      {isOpen && (batch.state === "paused" ? button("resume", t("knowledge.resume")) : button("pause", t("knowledge.pause")))}
      {isOpen && button("cancel", t("common.cancel"))}
      {canRetry && button("retry", t("common.retry"))}
    </Group>
  );
}

const SHOWN = 100;

function Items({ batch }: { batch: Batch }) {
  const t = useMessages();
  const reason = useReason();
  const found = useQuery({
    queryKey: ["batches", batch.id, "items", batch.totals],
    queryFn: () => ok(api.GET("/api/batches/{id}/documents", { params: { path: { id: batch.id }, query: { limit: SHOWN } } })),
  });
  const same = twins(found.data?.documents ?? []);
  return (
    <Stack gap={0} mt="sm" style={{ maxHeight: 320, overflowY: "auto" }} tabIndex={0} role="group" aria-label={batch.name}>
      {found.data?.documents.map((item) => (
        <div key={item.item} className={classes.sent}>
          {item.document_id && item.status !== "deleted" ? (
            <Anchor component={Link} to={`/app/knowledge/documents/${item.document_id}`} fz="sm" truncate>
              {item.url ?? [item.folder, item.filename].filter(Boolean).join("/")}
            </Anchor>
          ) : (
            <Text fz="sm" truncate>
              {item.url ?? [item.folder, item.filename].filter(Boolean).join("/")}
            </Text>
          )}
          <StateBadge
            state={item.status === "refused" ? "failed" : item.status}
            {...(item.status === "refused" ? { label: t("knowledge.refused") } : item.status === "deleted" ? { label: t("knowledge.deletedState") } : {})}
          />
          {item.detail && (
            <Text fz="xs" c="var(--mantine-color-error)" className={classes.reason}>
              {reason(item.code, [item.detail, item.remedy].filter(Boolean).join(" "))}
            </Text>
          )}
          {same.has(item) && (
            <Text fz="xs" c="dimmed" className={classes.reason}>
              {t("knowledge.sameAs", { name: same.get(item)! })}
            </Text>
          )}
        </div>
      ))}
      {found.data?.next && (
        <Text fz="xs" c="dimmed" px={18} py={8}>
          {t("knowledge.firstOnly", { count: SHOWN })}
        </Text>
      )}
    </Stack>
  );
}

/** Reads a batch, and again at each of its events while it is open. */
function useBatch(id: string, isOpen: boolean): Batch | undefined {
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["batches", id], queryFn: () => ok(api.GET("/api/batches/{id}", { params: { path: { id } } })) });
  useEffect(() => {
    if (!isOpen) return;
    const stop = new AbortController();
    const follow = async () => {
      for await (const event of workEvents(id, stop.signal)) if (event.name.startsWith("batch.")) await client.invalidateQueries({ queryKey: ["batches", id] });
    };
    void follow().catch(() => undefined);
    return () => stop.abort();
  }, [id, isOpen, client]);
  return found.data;
}
