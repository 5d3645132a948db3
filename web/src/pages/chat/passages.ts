/** Returns which chunks are read to show one between its neighbours: a listing begins behind `after`. */
export function around(index: number): { limit: number; after?: string } {
  return index < 2 ? { limit: index + 2 } : { limit: 3, after: String(index - 2) };
}

/** Returns what stands before a quotation, the quotation, and what stands behind; the whole text where it is not found. */
export function split(text: string, quote: string): readonly [string, string, string] {
  const words = quote.trim().split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  // A table's row is quoted below its header, which stands elsewhere: its last line is the row.
  const row = quote.trim().split("\n").at(-1)!.trim();
  const found = words.length > 0 ? new RegExp(words.join("\\s+")).exec(text) : null;
  if (found) return [text.slice(0, found.index), found[0], text.slice(found.index + found[0].length)];
  const at = row ? text.indexOf(row) : -1;
  return at < 0 ? ["", text, ""] : [text.slice(0, at), row, text.slice(at + row.length)];
}
