import type { Schemas } from "../../api/client";

type Found = Pick<Schemas["DocumentView"], "title" | "filename" | "assistant_key">;

export interface Suggestion {
  kind: "suggestAbout" | "suggestPoints" | "suggestWhat";
  title: string;
}

const KINDS = ["suggestAbout", "suggestPoints", "suggestWhat"] as const;
const MOST = 4;
const MAX_TITLE_CHARS = 60;

/** Returns what may be asked of documents, by their titles: of those that the assistant may use, each once. */
export function suggestions(documents: readonly Found[], assistantKey: string | undefined): Suggestion[] {
  const open = documents.filter(({ assistant_key: of }) => !of || of === assistantKey);
  const titles = [...new Set(open.map(titleOf).filter(Boolean))].slice(0, MOST);
  return titles.map((title, at) => ({ kind: KINDS[at % KINDS.length]!, title }));
}

function titleOf({ title, filename }: Found): string {
  const plain = (title || filename.replace(/\.[^.]+$/, "").replace(/[-_]+/g, " ")).replace(/\s+/g, " ").trim();
  return plain.length > MAX_TITLE_CHARS ? `${plain.slice(0, MAX_TITLE_CHARS - 1)}…` : plain;
}
