import type { Schemas } from "../../api/client";

/** Where a passage stands, as the panel beside the conversation shows it. */
export interface Place {
  documentId: string;
  chunkId: number | null;
  filename: string;
  headingPath: readonly string[];
  /** From 1; null for formats without pages. */
  page: number | null;
  /** The address of the page's picture with the passage marked. */
  image: string | null;
  quote: string;
  /** First and last row of a sheet. */
  rows: readonly [number, number] | null;
  /** Seconds of a recording. */
  spoken: readonly [number, number] | null;
}

export interface Citation extends Place {
  number: number;
}

/** Returns an answer's citations by their numbers. */
export function citations(found: readonly Record<string, unknown>[]): Map<number, Citation> {
  return new Map(found.map(citation).map((each) => [each.number, each]));
}

function citation(said: Record<string, unknown>): Citation {
  const pair = (from: unknown, to: unknown) => (typeof from === "number" && typeof to === "number" ? ([from, to] as const) : null);
  const rows = Array.isArray(said.rows) ? said.rows : [];
  return {
    number: Number(said.number),
    documentId: String(said.document_id),
    chunkId: typeof said.chunk_id === "number" ? said.chunk_id : null,
    filename: String(said.filename ?? ""),
    headingPath: Array.isArray(said.heading_path) ? said.heading_path.map(String) : [],
    page: typeof said.page === "number" ? said.page : null,
    image: typeof said.page_image === "string" ? said.page_image : null,
    quote: String(said.quote ?? ""),
    rows: pair(rows[0], rows[1]),
    spoken: pair(said.start_s, said.end_s),
  };
}

/** Returns where a passage stands that came near to a question. */
export function placeOf(found: Schemas["FoundView"]): Place {
  const { document_id: id, chunk_id: chunkId, page } = found;
  return {
    documentId: id,
    chunkId,
    filename: found.filename,
    headingPath: found.heading_path,
    page: page ?? null,
    image: page ? `/api/documents/${id}/pages/${page}?chunk_id=${chunkId}` : null,
    quote: found.text,
    rows: null,
    spoken: null,
  };
}

const MARKER = /\s?\[(\d{1,3})\]/g;
const BEGUN = /\s?\[\d{0,3}$/;

/** Returns an answer without its markers, as it is copied and read aloud. */
export const withoutMarkers = (text: string) => text.replace(MARKER, "");

const MARKS = /^[ \t]*(?:#{1,6}|>|[-*+]|\|[-| :]*$|(?:`{3,}|~{3,}).*$)[ \t]*|\*\*|`|\|/gm;

/** Returns how an answer begins, without markers and the marks of markdown: whole words, about as many characters. */
export function beginning(text: string, chars: number): string {
  const plain = withoutMarkers(text).replace(MARKS, "").replace(/\s+/g, " ").trim();
  return plain.length <= chars ? plain : `${plain.slice(0, chars).replace(/\s\S*$/, "")} …`;
}

/** Returns an answer that is still written without a marker that has only begun. */
export const settled = (text: string) => text.replace(BEGUN, "");

const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/**
 * Returns the parts of an answer that is still written, cut at empty lines: all but the last stay as they are.
 *
 * Code is one part, and what is indented belongs to what it stands below, as in a list.
 */
export function parts(text: string): string[] {
  const found: string[][] = [[]];
  let fence = "";
  let isAfterEmpty = false;
  for (const line of text.split("\n")) {
    const mark = FENCE.exec(line)?.[1] ?? "";
    if (isAfterEmpty && !fence && /^\S/.test(line)) found.push([]);
    if (mark && !fence) fence = mark;
    else if (mark.startsWith(fence) && line.trim() === mark) fence = "";
    isAfterEmpty = line.trim() === "";
    found.at(-1)!.push(line);
  }
  return found.map((lines) => lines.join("\n"));
}

interface Node {
  type: string;
  value?: string;
  children?: Node[];
  data?: { hName: string; hProperties: Record<string, string> };
}

/**
 * Makes of each marker `[2]` in a text an element `<cite data-number="2">`; code stays as it is written.
 *
 * A plugin of remark: it changes the tree before there is any HTML, so what an answer says stays text.
 */
export function markers() {
  return (tree: Node): void => marked(tree);
}

function marked(node: Node): void {
  if (!node.children) return;
  node.children = node.children.flatMap((child) => {
    if (child.type === "text" && child.value !== undefined) return pieces(child.value);
    marked(child);
    return [child];
  });
}

function pieces(text: string): Node[] {
  const found: Node[] = [];
  let at = 0;
  for (const marker of text.matchAll(MARKER)) {
    if (marker.index > at) found.push({ type: "text", value: text.slice(at, marker.index) });
    found.push({ type: "citation", children: [], data: { hName: "cite", hProperties: { dataNumber: marker[1]! } } });
    at = marker.index + marker[0].length;
  }
  if (at < text.length) found.push({ type: "text", value: text.slice(at) });
  return found;
}

/** Returns an address that an answer may link to; "" for every other one. */
export function safeLink(address: string): string {
  try {
    const { protocol } = new URL(address);
    return ["https:", "http:", "mailto:"].includes(protocol) ? address : "";
  } catch {
    return "";
  }
}
