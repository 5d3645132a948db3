import { expect, test } from "vitest";
import { costByDay, daysOf, everyDay, momentByDay, stacked, waterfall } from "./figures";

const NOW = Date.parse("2026-11-21T23:30:00Z");
const of = (stage: string, measure: string, p50_ms: number) => ({ stage, measure, turns: 3, p50_ms, p95_ms: p50_ms * 2 });

test("seven days end today and cross a month", () => {
  expect(daysOf("7", Date.parse("2026-11-03T00:10:00Z"))).toEqual([
    "2026-10-28", "2026-10-29", "2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03",
  ]);
  expect(daysOf("30", NOW)).toHaveLength(30);
});

test("a day without turns is shown as none, not left out", () => {
  const rows = everyDay(daysOf("7", NOW), [{ day: "2026-11-20", turns: 4 }], { turns: 0 });
  expect(rows.map((row) => row.turns)).toEqual([0, 0, 0, 0, 0, 4, 0]);
});

test("the waterfall is in the order of a turn, whatever order it comes in", () => {
  const parts = waterfall([of("synthesize", "run", 4), of("generate", "run", 3), of("generate", "queued", 1), of("turn", "first_token", 9)]);
  expect(parts.map((part) => `${part.stage} ${part.measure}`)).toEqual(["generate queued", "generate run", "synthesize run"]);
  expect(stacked(parts, "p95_ms", "p95")).toEqual({ name: "p95", "generate queued": 2, "generate run": 6, "synthesize run": 8 });
});

test("a day on which nothing was measured breaks the line", () => {
  const rows = [{ ...of("turn", "first_token", 7), day: "2026-11-21" }, { ...of("generate", "run", 1), day: "2026-11-20" }];
  expect(momentByDay(["2026-11-20", "2026-11-21"], rows, "first_token")).toEqual([
    { day: "2026-11-20", p50_ms: null, p95_ms: null },
    { day: "2026-11-21", p50_ms: 7, p95_ms: 14 },
  ]);
});

test("a day without calls cost nothing, and sums that come as text are numbers", () => {
  const cost = { calls: 2, input_tokens: 9, output_tokens: 1, seconds: 0, cost_usd: "0.25" };
  expect(costByDay(["2026-11-20", "2026-11-21"], { "2026-11-21": cost })).toEqual([
    { day: "2026-11-20", cost: 0, calls: 0 },
    { day: "2026-11-21", cost: 0.25, calls: 2 },
  ]);
});
