import { Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, ok, type Schemas } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";
import type { Place } from "./citations";
import { around, split } from "./passages";
import classes from "./panel.module.css";

/** A passage of a document without pages, between those that stand around it. */
export function Passage({ place }: { place: Place }) {
  const t = useMessages();
  const { documentId, chunkId, quote, rows, spoken } = place;
  const context = useQuery({
    queryKey: ["passage", documentId, chunkId],
    enabled: chunkId !== null,
    queryFn: () => inContext(documentId, chunkId!),
  });
  const marked = useRef<HTMLElement>(null);
  useEffect(() => marked.current?.scrollIntoView({ block: "center" }), [context.data]);
  if (context.error) return <ErrorNote error={context.error} onRetry={() => void context.refetch()} />;
  if (!context.data) return chunkId === null ? null : <Skeleton height={240} />;
  return (
    <div className={classes.passages}>
      {rows && (
        <Text fz="sm" c="dimmed">
          {t("chat.rows", { from: rows[0], to: rows[1] })}
        </Text>
      )}
      {spoken && (
        <Text fz="sm" c="dimmed">
          {t("chat.spokenAt", { from: clock(spoken[0]), to: clock(spoken[1]) })}
        </Text>
      )}
      {context.data.map((chunk) => {
        if (chunk.chunk_id !== chunkId)
          return (
            <p key={chunk.chunk_id} className={classes.around}>
              {chunk.text}
            </p>
          );
        const [before, cited, behind] = split(chunk.text, quote);
        return (
          <p key={chunk.chunk_id} className={classes.cited}>
            {before}
            <mark ref={marked}>{cited}</mark>
            {behind}
          </p>
        );
      })}
    </div>
  );
}

async function inContext(documentId: string, chunkId: number): Promise<Schemas["ChunkView"][]> {
  const path = { id: documentId, chunk_id: chunkId };
  const chunk = await ok(api.GET("/api/documents/{id}/chunks/{chunk_id}", { params: { path } }));
  const params = { path: { id: documentId }, query: around(chunk.chunk_index) };
  return (await ok(api.GET("/api/documents/{id}/chunks", { params }))).chunks;
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
