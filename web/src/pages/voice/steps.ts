import type { Stage, Timings } from "../../voice/messages";

/** A bar of the waterfall, in milliseconds since the question was complete. */
export interface Step {
  name: string;
  startMs: number;
  /** How long it waited for a worker before it ran. */
  queuedMs: number;
  runMs: number;
  provider: string;
}

/** A turn's waterfall as it is drawn: in the order in which it began, and the first sound's moment. */
export interface Waterfall {
  steps: readonly Step[];
  fromMs: number;
  toMs: number;
  firstSoundMs: number | null;
}

const isStage = (found: unknown): found is Stage => typeof found === "object" && found !== null && "start_ms" in found;
const moment = (found: unknown) => (typeof found === "number" ? found : null);

/** Returns what is drawn of a turn's timings, or null where there is nothing. */
export function waterfall(timings: Timings): Waterfall | null {
  const steps: Step[] = Object.entries(timings)
    .filter((entry): entry is [string, Stage] => isStage(entry[1]))
    .map(([name, { start_ms, queued_ms = 0, run_ms, provider = "" }]) => ({
      name,
      startMs: start_ms,
      queuedMs: Math.max(0, queued_ms),
      runMs: run_ms,
      provider,
    }));
  const spokenUntil = moment(timings.speech_end_ms);
  if (spokenUntil !== null && spokenUntil < 0) {
    steps.push({ name: "endpoint", startMs: spokenUntil, queuedMs: 0, runMs: -spokenUntil, provider: "" });
  }
  if (steps.length === 0) return null;
  steps.sort((one, other) => one.startMs - one.queuedMs - (other.startMs - other.queuedMs));
  const firstSoundMs = moment(timings.first_audio_heard_ms ?? timings.first_audio_sent_ms ?? timings.first_audio_ms);
  const ends = [...steps.map(({ startMs, runMs }) => startMs + runMs), firstSoundMs ?? 0];
  return {
    steps,
    fromMs: Math.min(...steps.map(({ startMs, queuedMs }) => startMs - queuedMs)),
    toMs: Math.max(...ends),
    firstSoundMs,
  };
}
