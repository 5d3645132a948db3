import { expect, test } from "vitest";
import { type Agent, changesOf, draftOf, needsSaving } from "./draft";

const agent = {
  name: "Bib",
  greeting: "",
  instructions: "Be kind.",
  persona: { formality: 0.5, detail: null, energy: null, language: null },
  voice_id: null,
  voice_speed: null,
  filler_after_ms: null,
  fillers: {},
  language: null,
  knowledge_filter: { tags: [], doc_ids: [] },
  model_policy: { cache: null, hedge: null, max_cost_usd_per_answer: null },
  is_active: true,
} as unknown as Agent;

test("what was only looked at is no change", () => {
  const draft = { ...draftOf(agent), persona: { energy: null, formality: 0.5 }, knowledge_filter: {} } as never;
  expect(changesOf(agent, draft)).toEqual({});
});

test("a persona is tried without saving, a prompt is not", () => {
  const lively = { ...draftOf(agent), persona: { ...agent.persona, energy: 1 } };
  expect(Object.keys(changesOf(agent, lively))).toEqual(["persona"]);
  expect(needsSaving(changesOf(agent, lively))).toBe(false);
  expect(needsSaving(changesOf(agent, { ...lively, instructions: "Be brief." }))).toBe(true);
});
