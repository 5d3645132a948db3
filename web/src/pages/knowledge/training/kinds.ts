import { api, ok, type Schemas } from "../../../api/client";
import type { Permission } from "../../../api/me";
import type { CursorPage } from "../../../api/pages";
import type { MessageKey } from "../../../i18n/catalogue";

/** What all kinds of entries have, with the texts of the kind by their names in the API. */
export type Entry = Pick<Schemas["PairView"], "id" | "status" | "searchable" | "detail" | "tags" | "assistant_key" | "updated_at"> & Texts;

/** The texts that are written into a form. */
export type Texts = Record<string, unknown>;

export interface Field {
  name: string;
  label: MessageKey;
  most: number;
  isLong?: boolean;
  isOptional?: boolean;
}

export interface Asked {
  limit: number;
  after?: string;
  q?: string;
  tag?: string;
  assistant_key?: string;
}

/** A kind of knowledge that is told and not uploaded (docs/knowledge.md). */
export interface Kind {
  path: "" | "notes" | "materials";
  label: MessageKey;
  hint: MessageKey;
  needs: Permission;
  /** Where entries are imported, and exported from. */
  address: string;
  fields: readonly Field[];
  page: (query: Asked, signal: AbortSignal) => Promise<CursorPage<Entry>>;
  /** The whole entry, where a listing leaves some of it out. */
  whole?: (id: string) => Promise<Entry>;
  make: (given: Texts) => Promise<unknown>;
  change: (id: string, given: Texts) => Promise<unknown>;
  remove: (id: string) => Promise<Schemas["EntryGone"]>;
}

const at = (id: string) => ({ params: { path: { id } } });
const rowsOf = ({ entries, next }: { entries: readonly object[]; next: string | null }) => ({ rows: entries as Entry[], next });

export const PAIRS: Kind = {
  path: "",
  label: "knowledge.pairs",
  hint: "knowledge.pairsHint",
  needs: "ai:write",
  address: "/api/training/qa",
  fields: [
    { name: "prompt", label: "knowledge.question", most: 2_000, isLong: true },
    { name: "response", label: "knowledge.answer", most: 8_000, isLong: true },
  ],
  page: async (query, signal) => rowsOf(await ok(api.GET("/api/training/qa", { params: { query }, signal }))),
  make: (given) => ok(api.POST("/api/training/qa", { body: given as Schemas["PairBody"] })),
  change: (id, given) => ok(api.PATCH("/api/training/qa/{id}", { ...at(id), body: given as Schemas["PairChange"] })),
  remove: (id) => ok(api.DELETE("/api/training/qa/{id}", at(id))),
};

export const NOTES: Kind = {
  path: "notes",
  label: "knowledge.notes",
  hint: "knowledge.notesHint",
  needs: "ai:write",
  address: "/api/training/notes",
  fields: [
    { name: "title", label: "knowledge.name", most: 255 },
    { name: "category", label: "knowledge.category", most: 100, isOptional: true },
    { name: "content", label: "knowledge.content", most: 50_000, isLong: true },
  ],
  page: async (query, signal) => rowsOf(await ok(api.GET("/api/training/notes", { params: { query }, signal }))),
  make: (given) => ok(api.POST("/api/training/notes", { body: given as Schemas["NoteBody"] })),
  change: (id, given) => ok(api.PATCH("/api/training/notes/{id}", { ...at(id), body: given as Schemas["NoteChange"] })),
  remove: (id) => ok(api.DELETE("/api/training/notes/{id}", at(id))),
};

export const MATERIALS: Kind = {
  path: "materials",
  label: "knowledge.materials",
  hint: "knowledge.materialsHint",
  needs: "documents:write",
  address: "/api/training/materials",
  fields: [
    { name: "title", label: "knowledge.name", most: 255 },
    { name: "content", label: "knowledge.content", most: 200_000, isLong: true },
  ],
  page: async (query, signal) => rowsOf(await ok(api.GET("/api/training/materials", { params: { query }, signal }))),
  whole: async (id) => (await ok(api.GET("/api/training/materials/{id}", at(id)))) as unknown as Entry,
  make: (given) => ok(api.POST("/api/training/materials", { body: given as Schemas["MaterialBody"] })),
  change: (id, given) => ok(api.PATCH("/api/training/materials/{id}", { ...at(id), body: given as Schemas["MaterialChange"] })),
  remove: (id) => ok(api.DELETE("/api/training/materials/{id}", at(id))),
};

export const KINDS = [PAIRS, NOTES, MATERIALS] as const;
