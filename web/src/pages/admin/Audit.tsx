import { Button, Group, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useAct } from "../../api/acts";
import { api, blob, ok, type Schemas } from "../../api/client";
import { useRows } from "../../api/pages";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { RowList } from "../../components/RowList";
import classes from "../../components/ways.module.css";
import { useMessages } from "../../i18n";

/** Who did what, when and from where; found by act, by person and by day. */
export function Audit() {
  const t = useMessages();
  const [wanted, setWanted] = useState({ action: "", actor: "", since: "" });
  const [asked] = useDebouncedValue(wanted, 300);
  const entries = useRows(["audit", asked], async (after) => {
    const since = asked.since ? new Date(asked.since).toISOString() : null;
    const query = { limit: 50, after: after ?? null, action: asked.action || null, actor: asked.actor || null, since };
    const page = await ok(api.GET("/api/tenant/audit", { params: { query } }));
    return { rows: page.entries, next: page.next };
  });
  const take = useAct(async () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await blob("/api/tenant/audit/export"));
    link.download = "audit.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
  const set = (name: keyof typeof wanted) => (event: React.ChangeEvent<HTMLInputElement>) => setWanted({ ...wanted, [name]: event.currentTarget.value });
  return (
    <Panel
      title={t("admin.audit")}
      text={t("admin.auditText")}
      isList
      actions={
        <Button variant="default" loading={take.isPending} onClick={() => take.mutate()}>
          {t("admin.csv")}
        </Button>
      }
    >
      <ErrorNote error={take.error} />
      <Group p="md" gap="sm" align="flex-end">
        <TextInput label={t("admin.action")} placeholder="user." value={wanted.action} onChange={set("action")} flex="1 1 9rem" />
        <TextInput label={t("admin.actor")} value={wanted.actor} onChange={set("actor")} flex="1 1 9rem" />
        <TextInput label={t("admin.since")} type="date" value={wanted.since} onChange={set("since")} flex="1 1 9rem" />
      </Group>
      <RowList rows={entries} rowKey={(each) => String(each.audit_id)} label={t("admin.audit")} guessPx={72} empty={<Empty title={t("admin.noEntries")} />}>
        {(each) => <Entry entry={each} />}
      </RowList>
    </Panel>
  );
}

function Entry({ entry }: { entry: Schemas["AuditView"] }) {
  const t = useMessages();
  const hasMore = entry.before !== null || entry.after !== null;
  return (
    <Line
      title={entry.action}
      text={
        <>
          {entry.actor_name ?? entry.actor_kind} · {entry.target_kind} {entry.target_id} · {entry.address} · <DateTime at={entry.at} isExact />
        </>
      }
    >
      {hasMore && (
        <details>
          <summary style={{ fontSize: 12, cursor: "pointer" }}>{t("admin.changes")}</summary>
          <pre className={classes.code} role="group" tabIndex={0} aria-label={t("admin.changes")}>
            {JSON.stringify({ before: entry.before, after: entry.after }, null, 2)}
          </pre>
        </details>
      )}
    </Line>
  );
}
