import { Button, Group, Text, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok, type Schemas } from "../../../api/client";
import { useMe } from "../../../api/me";
import { useRows } from "../../../api/pages";
import { Empty } from "../../../components/Empty";
import { ErrorNote } from "../../../components/ErrorNote";
import { RowList } from "../../../components/RowList";
import { useMessages } from "../../../i18n";
import classes from "../knowledge.module.css";

type Chunk = Schemas["ChunkView"];
const PAGE = 50;
const MAX_CHARS = 64_000;

interface Props {
  document: Schemas["DocumentView"];
  /** Shows the page that a chunk is on; left out where there are no pages. */
  onShow?: (chunk: Chunk) => void;
}

/** The passages a document was cut into, in order. */
export function Chunks({ document, onShow }: Props) {
  const t = useMessages();
  const rows = useRows(["chunks", document.id, document.version], async (after, signal) => {
    const query = { limit: PAGE, ...(after ? { after } : {}) };
    const page = await ok(api.GET("/api/documents/{id}/chunks", { params: { path: { id: document.id }, query }, signal }));
    return { rows: page.chunks, next: page.next };
  });
  return (
    <RowList
      rows={rows}
      rowKey={(chunk) => String(chunk.chunk_id)}
      label={t("knowledge.chunks")}
      guessPx={160}
      height="max(24rem, calc(100dvh - 17rem))"
      empty={<Empty title={t("knowledge.noChunks")} text={t("knowledge.noChunksText")} />}
    >
      {(chunk) => <ChunkRow documentId={document.id} chunk={chunk} {...(onShow ? { onShow } : {})} />}
    </RowList>
  );
}

function ChunkRow({ documentId, chunk, onShow }: { documentId: string; chunk: Chunk; onShow?: (chunk: Chunk) => void }) {
  const t = useMessages();
  const { can } = useMe();
  const [isEdited, setEdited] = useState(false);
  const pages = chunk.page_from === null ? "" : t("knowledge.onPage", { page: chunk.page_from === chunk.page_to ? chunk.page_from : `${chunk.page_from}–${chunk.page_to}` });
  return (
    <article className={classes.chunk}>
      <Group justify="space-between" gap="xs" mb={6} wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Text fz="sm" fw={600} lineClamp={2}>
            {chunk.heading_path.join(" › ") || t("knowledge.chunkNumber", { number: chunk.chunk_index + 1 })}
          </Text>
          <Text fz="xs" c="dimmed">
            {[pages, t("knowledge.tokens", { count: chunk.token_count })].filter(Boolean).join(" · ")}
          </Text>
        </div>
        <Group gap={4} wrap="nowrap">
          {onShow && chunk.page_from !== null && (
            <Button size="compact-xs" variant="subtle" onClick={() => onShow(chunk)}>
              {t("knowledge.showPage")}
            </Button>
          )}
          {can("documents:write") && !isEdited && (
            <Button size="compact-xs" variant="subtle" onClick={() => setEdited(true)}>
              {t("common.edit")}
            </Button>
          )}
        </Group>
      </Group>
      {isEdited ? <Editor documentId={documentId} chunk={chunk} onEnd={() => setEdited(false)} /> : <div className={classes.text}>{chunk.text}</div>}
    </article>
  );
}

function Editor({ documentId, chunk, onEnd }: { documentId: string; chunk: Chunk; onEnd: () => void }) {
  const t = useMessages();
  const client = useQueryClient();
  const [text, setText] = useState(chunk.text);
  const act = useMutation({
    mutationFn: () =>
      ok(
        api.PATCH("/api/documents/{id}/chunks/{chunk_id}", {
          params: { path: { id: documentId, chunk_id: chunk.chunk_id } },
          body: { text },
          headers: { Prefer: "wait=20" },
        }),
      ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["chunks", documentId] });
      onEnd();
    },
  });
  return (
    <>
      <Textarea
        aria-label={t("knowledge.textLabel")}
        autosize
        minRows={4}
        maxRows={20}
        maxLength={MAX_CHARS}
        data-autofocus
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <ErrorNote error={act.error} />
      <Group justify="flex-end" gap="xs" mt="xs">
        <Text fz="xs" c="dimmed" flex={1}>
          {t("knowledge.editHint")}
        </Text>
        <Button size="xs" variant="default" onClick={onEnd}>
          {t("common.cancel")}
        </Button>
        <Button size="xs" loading={act.isPending} disabled={!text.trim() || text === chunk.text} onClick={() => act.mutate()}>
          {t("common.save")}
        </Button>
      </Group>
    </>
  );
}
