import { api, ok, type Schemas } from "../../../api/client";
import type { Found } from "./walk";

type Item = Schemas["BatchItemView"];
const PAGE = 200;

/** Returns all files of a batch, as the API has them. */
export async function itemsOf(id: string): Promise<Item[]> {
  const items: Item[] = [];
  let after: string | undefined;
  do {
    const query = { limit: PAGE, ...(after ? { after } : {}) };
    const page = await ok(api.GET("/api/batches/{id}/documents", { params: { path: { id }, query } }));
    items.push(...page.documents);
    after = page.next ?? undefined;
  } while (after);
  return items;
}

/** Returns which file is which item: by folder and name; those whose name the API has made safe, in order. */
export function matched<File extends Found>(files: readonly File[], items: readonly Item[]): [File, Item][] {
  const places = new Map(files.map((file) => [`${file.folder}/${file.file.name}`, file]));
  const pairs: [File, Item][] = [];
  const strange: Item[] = [];
  for (const item of items) {
    const file = places.get(`${item.folder}/${item.filename}`);
    if (file) pairs.push([file, item]);
    else strange.push(item);
    places.delete(`${item.folder}/${item.filename}`);
  }
  const left = [...places.values()].filter(({ file }) => !/\.zip$/i.test(file.name));
  if (left.length === strange.length) left.forEach((file, index) => pairs.push([file, strange[index]!]));
  return pairs;
}
