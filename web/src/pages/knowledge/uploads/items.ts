import { api, ok, type Schemas } from "../../../api/client";
import type { Found } from "./walk";

type Item = Pick<Schemas["BatchItemView"], "filename" | "folder">;
const PAGE = 200;

/** Returns all files of a batch, as the API has them. */
export async function itemsOf(id: string): Promise<Schemas["BatchItemView"][]> {
  const items: Schemas["BatchItemView"][] = [];
  let after: string | undefined;
  do {
    const query = { limit: PAGE, ...(after ? { after } : {}) };
    const page = await ok(api.GET("/api/batches/{id}/documents", { params: { path: { id }, query } }));
    items.push(...page.documents);
    after = page.next ?? undefined;
  } while (after);
  return items;
}

/**
 * Returns which file is which item: by folder and name, of which the API changes what is not safe to show or store.
 *
 * Files of the same name are told apart by their order. An archive is no item; what was in it is.
 */
export function matched<File extends Found, Its extends Item>(files: readonly File[], items: readonly Its[]): [File, Its][] {
  const places = new Map<string, File[]>();
  for (const file of files) {
    const key = plain(file.folder, file.file.name);
    places.set(key, [...(places.get(key) ?? []), file]);
  }
  const pairs: [File, Its][] = [];
  const strange: Its[] = [];
  for (const item of items) {
    const file = places.get(plain(item.folder, item.filename))?.shift();
    if (file) pairs.push([file, item]);
    else strange.push(item);
  }
  const left = [...places.values()].flat().filter(({ file }) => !/\.zip$/i.test(file.name));
  if (left.length === strange.length) left.forEach((file, index) => pairs.push([file, strange[index]!]));
  return pairs;
}

/** Returns a place by its letters and digits alone: these stay as they are. */
function plain(folder: string, name: string): string {
  return `${folder}/${name}`.normalize("NFC").replace(/[^\p{L}\p{N}/]+/gu, "");
}
