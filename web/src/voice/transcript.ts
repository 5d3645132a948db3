import type { Citation, ServerMessage, Timings } from "./messages";

/** A question and its answer, as far as they have come. */
export interface Turn {
  id: string;
  question: string;
  answer: string;
  /** `cut`: it was spoken over or stopped; what is here is not all of it. */
  state: "open" | "done" | "cut" | "failed";
  /** Why it failed: the API's stable code, and its sentence. */
  code: string;
  detail: string;
  citations: readonly Citation[];
  timings: Timings | null;
}

export interface Transcript {
  turns: readonly Turn[];
  /** What is being said right now; it may still change behind `stable`. */
  partial: { text: string; stable: string };
  /** A question that was typed: the server does not repeat it. */
  typed: string;
}

const NOTHING = { text: "", stable: "" };

export const empty: Transcript = { turns: [], partial: NOTHING, typed: "" };

/** Returns the transcript with what a message adds to it. */
export function told(transcript: Transcript, message: ServerMessage): Transcript {
  const { turn_id: id = "", text = "" } = message;
  switch (message.type) {
    case "turn.transcript.partial":
      return { ...transcript, partial: { text, stable: message.stable ?? "" } };
    case "state":
      if (message.state === "thinking" && id) return { ...changed(transcript, id, {}), typed: "" };
      return message.state === "listening" ? { ...transcript, partial: NOTHING } : transcript;
    case "turn.transcript":
      return { ...changed(transcript, id, { question: text }), partial: NOTHING };
    case "turn.started":
      return changed(transcript, id, { answer: "" });
    case "turn.token":
      return changed(transcript, id, (turn) => ({ answer: turn.answer + text }));
    case "turn.completed": {
      const { response = "", citations = [], timings = null } = message;
      return changed(transcript, id, { answer: response, citations, timings, state: "done" });
    }
    case "turn.failed":
      // Sound in which nothing was said is no question.
      if (message.code === "no_speech") return without({ ...transcript, partial: NOTHING }, id);
      return changed(transcript, id, { state: "failed", code: message.code ?? "", detail: message.detail ?? "" });
    case "turn.cancelled": {
      // Speech that goes on before it was answered is asked again as one question.
      const wasAnswered = transcript.turns.some((turn) => turn.id === id && turn.answer);
      return wasAnswered ? changed(transcript, id, { state: "cut" }) : without(transcript, id);
    }
    default:
      return transcript;
  }
}

type Change = Partial<Turn> | ((turn: Turn) => Partial<Turn>);

function changed(transcript: Transcript, id: string, change: Change): Transcript {
  if (!id) return transcript;
  const at = transcript.turns.findIndex((turn) => turn.id === id);
  const blank: Turn = { id, question: transcript.typed, answer: "", state: "open", code: "", detail: "", citations: [], timings: null };
  const before = transcript.turns[at] ?? blank;
  const after = { ...before, ...(typeof change === "function" ? change(before) : change) };
  return { ...transcript, turns: at < 0 ? [...transcript.turns, after] : transcript.turns.with(at, after) };
}

const without = (transcript: Transcript, id: string): Transcript => ({
  ...transcript,
  turns: transcript.turns.filter((turn) => turn.id !== id),
});
