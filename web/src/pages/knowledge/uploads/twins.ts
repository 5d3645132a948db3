interface Its {
  document_id: string | null;
  filename: string;
  folder: string;
}

/**
 * Returns for each item that is the same document as one before it the place of that one, as `a/b.pdf`.
 *
 * Files of the same bytes are one document, so that no answer names the same passage twice.
 */
export function twins<Item extends Its>(items: readonly Item[]): Map<Item, string> {
  const first = new Map<string, string>();
  const found = new Map<Item, string>();
  for (const item of items) {
    if (!item.document_id) continue;
    const before = first.get(item.document_id);
    if (before === undefined) first.set(item.document_id, [item.folder, item.filename].filter(Boolean).join("/"));
    else found.set(item, before);
  }
  return found;
}
