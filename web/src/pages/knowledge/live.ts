import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, ok, type Schemas } from "../../api/client";
import { type AuraEvent, events } from "../../api/events";
import type { CursorPage } from "../../api/pages";
import { soon } from "../../api/soon";

type Document = Schemas["DocumentView"];
type Pages = InfiniteData<CursorPage<Document>>;

const STAGES: Record<string, string> = { "document.extracted": "extract", "document.chunked": "chunk", "document.embedded": "embed" };
const READ_AGAIN_MS = 1_500;

/** Returns what an event says of a document; null where it says that there is a new one, or that something is missing. */
export function changeOf({ name, data }: AuraEvent): Partial<Document> | null {
  const stage = STAGES[name];
  if (stage) return { status: "running", stage, done: Number(data.done), total: Number(data.total), waiting_for: null };
  if (name === "document.processed")
    return { status: "processed", searchable: true, chunks: Number(data.chunks ?? 0), tokens: Number(data.tokens ?? 0), stage: null, waiting_for: null };
  return null;
}

/** Keeps all lists of documents as they are now, by the events of the organisation. */
export function useLiveDocuments(): void {
  const client = useQueryClient();
  useEffect(() => {
    const stop = new AbortController();
    const reading = soon(() => void client.invalidateQueries({ queryKey: ["documents"] }), READ_AGAIN_MS);
    const put = (id: string, change: Partial<Document>) =>
      client.setQueriesData<Pages>({ queryKey: ["documents", "list"] }, (data) => data && patched(data, id, change));
    const follow = async () => {
      for await (const event of events(new Request("/api/events?types=document.*"), { signal: stop.signal })) {
        const id = String(event.data.doc_id);
        const change = changeOf(event);
        if (change) put(id, change);
        else if (event.name === "document.failed") put(id, await ok(api.GET("/api/documents/{id}", { params: { path: { id } } })).catch(() => ({ status: "failed" as const })));
        else reading.call();
      }
    };
    void follow().catch(() => undefined);
    return () => (stop.abort(), reading.end());
  }, [client]);
}

/** Returns the pages with one document changed; the same pages where it is not in them. */
export function patched(data: Pages, id: string, change: Partial<Document>): Pages {
  if (!data.pages.some((page) => page.rows.some((row) => row.id === id))) return data;
  const pages = data.pages.map((page) => ({ ...page, rows: page.rows.map((row) => (row.id === id ? { ...row, ...change } : row)) }));
  return { ...data, pages };
}
