import { Button, NativeSelect, Text } from "@mantine/core";
import { IconMailOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { given, useAct } from "../../api/acts";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { useRows } from "../../api/pages";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Line, Panel } from "../../components/Panel";
import { RowList } from "../../components/RowList";
import { useMessages, useSentence } from "../../i18n";
import { Replayed } from "./Replayed";

const KEY = ["dead-letters"];

/** Documents that failed for good, why, and another try for one, for those of one kind, or for all. */
export function DeadLetters() {
  const t = useMessages();
  const sentence = useSentence();
  const { can } = useMe();
  const [code, setCode] = useState("");
  const list = (limit: number, after: string | null, of: string) =>
    ok(api.GET("/api/documents/dead-letters", { params: { query: { limit, after, code: of || null } } }));
  const kinds = useQuery({ queryKey: [...KEY, "kinds"], queryFn: () => list(1, null, "") });
  const letters = useRows([...KEY, code], async (after) => {
    const page = await list(50, after ?? null, code);
    return { rows: page.documents, next: page.next };
  });
  const replay = useAct((body: Partial<Schemas["DeadReplay"]>) => ok(api.POST("/api/documents/dead-letters/replay", { body: given<Schemas["DeadReplay"]>(body) })), KEY);
  const byCode = Object.entries(kinds.data?.by_code ?? {});
  return (
    <Panel
      title={t("admin.deadLetters")}
      text={t("admin.deadLettersText")}
      isList
      actions={
        byCode.length > 0 && (
          <>
            <NativeSelect
              aria-label={t("admin.code")}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              data={[{ value: "", label: t("admin.allCodes") }, ...byCode.map(([value, count]) => ({ value, label: `${value} (${count})` }))]}
            />
            {can("documents:write") && (
              <Button loading={replay.isPending} onClick={() => replay.mutate(code ? { code } : {})}>
                {t("admin.replayAll")}
              </Button>
            )}
          </>
        )
      }
    >
      <ErrorNote error={kinds.error ?? replay.error} />
      {replay.data && <Replayed key={replay.data.job_id} job={replay.data.job_id} total={replay.data.total} stale={KEY} />}
      <RowList
        rows={letters}
        rowKey={(each) => each.id}
        label={t("admin.deadLetters")}
        guessPx={84}
        empty={<Empty icon={IconMailOff} title={t("admin.noDeadLetters")} text={t("admin.noDeadLettersText")} />}
      >
        {(each) => (
          <Line
            title={each.filename}
            text={
              <>
                <DateTime at={each.created_at} /> · {each.code} · {t("admin.attempts", { count: each.attempts })}
              </>
            }
            actions={
              can("documents:write") && (
                <Button size="xs" variant="default" aria-label={`${t("admin.replay")}: ${each.filename}`} loading={replay.isPending && replay.variables.ids?.[0] === each.id} onClick={() => replay.mutate({ ids: [each.id] })}>
                  {t("admin.replay")}
                </Button>
              )
            }
          >
            <Text fz="sm" mt={4} style={{ overflowWrap: "anywhere" }}>
              {sentence({ code: each.code, detail: [each.detail, each.remedy].filter(Boolean).join(" ") })}
            </Text>
          </Line>
        )}
      </RowList>
    </Panel>
  );
}
