/** A line of the waterfall: a step, or a moment (`runMs` null). Left, waited and ran are per cent of the whole. */
export interface Row {
  name: string;
  step: "endpoint" | "transcribe" | "retrieve" | "generate" | "synthesize" | "firstWord" | "firstSound";
  /** Which sentence is spoken, from 0. */
  sentence: number | null;
  startMs: number;
  queuedMs: number | null;
  runMs: number | null;
  left: number;
  waited: number;
  ran: number;
}

const MOMENTS = { first_token_ms: "firstWord", first_audio_ms: "firstSound" } as const;
const NAME = /^(transcribe|retrieve|generate|synthesize)(?:_(\d+))?$/;
const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : 0);

/** Returns the steps of a turn in their order (docs/latency.md), and when the last one ended, in ms. */
export function steps(timings: Readonly<Record<string, unknown>>): { rows: Row[]; totalMs: number } {
  const found: Omit<Row, "left" | "waited" | "ran">[] = [];
  for (const [name, value] of Object.entries(timings)) {
    const moment = MOMENTS[name as keyof typeof MOMENTS];
    if (moment && typeof value === "number")
      found.push({ name, step: moment, sentence: null, startMs: value, queuedMs: null, runMs: null });
    const stage = NAME.exec(name);
    if (!stage || typeof value !== "object" || value === null) continue;
    const { start_ms, queued_ms, run_ms } = value as Record<string, unknown>;
    const sentence = stage[2] === undefined ? null : Number(stage[2]);
    const queuedMs = number(queued_ms);
    found.push({ name, step: stage[1] as Row["step"], sentence, startMs: number(start_ms), queuedMs, runMs: number(run_ms) });
  }
  const end = (row: (typeof found)[number]) => row.startMs + (row.runMs ?? 0);
  const begin = (row: (typeof found)[number]) => row.startMs - (row.queuedMs ?? 0);
  const from = Math.min(0, ...found.map(begin));
  const totalMs = Math.max(0, ...found.map(end));
  const share = (ms: number) => (totalMs > from ? Math.min(100, Math.max(0, (ms / (totalMs - from)) * 100)) : 0);
  const rows = found
    .sort((one, other) => one.startMs - other.startMs)
    .map((row) => ({
      ...row,
      left: share(begin(row) - from),
      waited: share(row.queuedMs ?? 0),
      ran: row.runMs === null ? 0.8 : Math.max(0.8, share(row.runMs)),
    }));
  return { rows, totalMs };
}
