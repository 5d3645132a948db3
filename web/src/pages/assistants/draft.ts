import type { Schemas } from "../../api/client";

export type Agent = Schemas["AgentView"];

/** What can be changed of an assistant. */
export type Draft = Pick<
  Agent,
  | "name"
  | "greeting"
  | "instructions"
  | "persona"
  | "voice_id"
  | "voice_speed"
  | "filler_after_ms"
  | "fillers"
  | "language"
  | "knowledge_filter"
  | "model_policy"
  | "is_active"
>;

/** Sets one thing of a draft. */
export type Put = <Name extends keyof Draft>(name: Name, value: Draft[Name]) => void;

const NAMES = [
  "name",
  "greeting",
  "instructions",
  "persona",
  "voice_id",
  "voice_speed",
  "filler_after_ms",
  "fillers",
  "language",
  "knowledge_filter",
  "model_policy",
  "is_active",
] as const satisfies readonly (keyof Draft)[];

export function draftOf(agent: Agent): Draft {
  return Object.fromEntries(NAMES.map((name) => [name, agent[name]])) as unknown as Draft;
}

/** Returns what of a draft is not as the assistant has it: the body of the change, empty for none. */
export function changesOf(agent: Agent, draft: Draft): Partial<Draft> {
  const changed = NAMES.filter((name) => JSON.stringify(said(agent[name])) !== JSON.stringify(said(draft[name])));
  return Object.fromEntries(changed.map((name) => [name, draft[name]]));
}

/** Persona alone is told with each question; all else has to be saved before it counts. */
export function needsSaving(changes: Partial<Draft>): boolean {
  return Object.keys(changes).some((name) => name !== "persona");
}

/** Returns a value without what is left out of it, its names in order, so that two that say the same are the same. */
function said(value: unknown): unknown {
  if (Array.isArray(value)) return value;
  if (value === null || typeof value !== "object") return value === "" ? null : value;
  const kept = Object.entries(value).filter(([, each]) => each !== null && each !== undefined && !(Array.isArray(each) && each.length === 0));
  return Object.fromEntries(kept.sort(([one], [other]) => (one < other ? -1 : 1)));
}
