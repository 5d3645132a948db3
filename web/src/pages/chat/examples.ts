import type { Schemas } from "../../api/client";

/** Returns a turn as the API tells of it, for tests. */
export function turn(about: Partial<Schemas["TurnView"]> = {}): Schemas["TurnView"] {
  const nothing = { code: null, detail: null, rating: null, comment: null, unanswered_id: null, found: [], files: [], answer: null };
  const asked = { turn_id: "t", question: "When do you open?", spoken: false, status: "running" as const };
  return { ...nothing, ...asked, at: "2026-11-21T20:00:00Z", ...about };
}
