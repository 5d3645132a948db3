import type { Schemas } from "../../api/client";

export type Range = "7" | "30" | "90";
export const RANGES: readonly Range[] = ["7", "30", "90"];

/** Returns the days (UTC) of the last so many, today among them, as YYYY-MM-DD. */
export function daysOf(range: Range, nowMs: number): string[] {
  const count = Number(range);
  return Array.from({ length: count }, (_, index) => new Date(nowMs - (count - 1 - index) * 86_400_000).toISOString().slice(0, 10));
}

/** Returns a row for each of the days: a day without one gets `none`, so that a gap is seen as a gap. */
export function everyDay<Row extends { day: string }>(days: readonly string[], rows: readonly Row[], none: Omit<Row, "day">): Row[] {
  const found = new Map(rows.map((row) => [row.day, row]));
  return days.map((day) => found.get(day) ?? ({ ...none, day } as Row));
}

export type Percentile = "p50_ms" | "p95_ms";

export interface Stage {
  stage: string;
  p50_ms: number;
  p95_ms: number;
}

const ORDER = ["transcribe", "retrieve", "generate", "synthesize"];

/** Returns the stages of a turn in the order they are gone through: waiting and running of each, as far as known. */
export function waterfall(overall: readonly Schemas["Latency"][]): (Stage & { measure: "queued" | "run" })[] {
  return ORDER.flatMap((stage) =>
    (["queued", "run"] as const).flatMap((measure) => {
      const found = overall.find((each) => each.stage === stage && each.measure === measure);
      return found ? [{ stage, measure, p50_ms: found.p50_ms, p95_ms: found.p95_ms }] : [];
    }),
  );
}

/** Returns one row with all parts side by side, as a stacked bar wants them: `{name, "generate run": 12.5, …}`. */
export function stacked(parts: readonly (Stage & { measure: string })[], percentile: Percentile, name: string): Record<string, string | number> {
  return Object.fromEntries([["name", name], ...parts.map((each) => [`${each.stage} ${each.measure}`, each[percentile]] as const)]);
}

/** Returns p50 and p95 of one measure of whole turns, day by day; a day without turns has none. */
export function momentByDay(days: readonly string[], rows: readonly Schemas["LatencyOfDay"][], measure: string) {
  const found = new Map(rows.filter((row) => row.stage === "turn" && row.measure === measure).map((row) => [row.day, row]));
  return days.map((day) => ({ day, p50_ms: found.get(day)?.p50_ms ?? null, p95_ms: found.get(day)?.p95_ms ?? null }));
}

/** Returns what each of the days cost; a day without calls cost nothing. */
export function costByDay(days: readonly string[], byDay: Readonly<Record<string, Schemas["Cost"]>>) {
  return days.map((day) => ({ day, cost: Number(byDay[day]?.cost_usd ?? 0), calls: byDay[day]?.calls ?? 0 }));
}
