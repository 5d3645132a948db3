import type { AuraEvent } from "../../api/events";
import type { Schemas } from "../../api/client";

export type Answer = Schemas["ChatAnswer"];

/** Where an exchange stands: sent, looked up in the documents, written, or at its end. */
export type State = "sending" | "searching" | "writing" | "done" | "stopped" | "failed";

/** A document that a question is about. */
export type AskedFile = Schemas["FileView"];

/** What a question is asked with. */
export interface Question {
  question: string;
  assistantKey: string;
  conversationId: string | null;
  /** Only these documents are searched; all where there are none. */
  files?: readonly AskedFile[];
}

/** A question and what is known of its answer. */
export interface Exchange {
  /** What tells it from others before the server has named its turn. */
  key: string;
  turnId: string | null;
  conversationId: string | null;
  question: string;
  assistantKey: string | null;
  spoken: boolean;
  /** The documents that alone are searched; none where all are. */
  files: readonly AskedFile[];
  /** ISO 8601. */
  at: string;
  state: State;
  /** The answer as far as it has come. */
  text: string;
  /** The whole answer, with its sources and times. */
  answer: Answer | null;
  problem: { code: string; detail: string } | null;
  rating: number | null;
  comment: string | null;
  unansweredId: string | null;
  found: readonly Schemas["FoundView"][];
  /** Whether its events are being received: false while the line is broken. */
  isConnected: boolean;
}

const ENDED: Readonly<Record<string, State>> = { completed: "done", cancelled: "stopped", failed: "failed" };

export const isOpen = ({ state }: Exchange) => state === "sending" || state === "searching" || state === "writing";

/** Returns the exchange of a question that was asked here and of which the server has said nothing yet. */
export function asked(key: string, { question, assistantKey, conversationId, files = [] }: Question, at: Date): Exchange {
  return {
    key,
    turnId: null,
    conversationId,
    question,
    assistantKey,
    spoken: false,
    files,
    at: at.toISOString(),
    state: "sending",
    text: "",
    answer: null,
    problem: null,
    rating: null,
    comment: null,
    unansweredId: null,
    found: [],
    isConnected: true,
  };
}

const read = new WeakMap<Schemas["TurnView"], Exchange>();

/**
 * Returns a turn as the server keeps it.
 *
 * A turn that is still what it was is the same exchange, so that a row of it is not drawn again as others come.
 */
export function kept(turn: Schemas["TurnView"], conversationId: string): Exchange {
  const before = read.get(turn);
  if (before?.conversationId === conversationId) return before;
  const ended = ENDED[turn.status];
  const now: Exchange = {
    key: turn.turn_id,
    turnId: turn.turn_id,
    conversationId,
    question: turn.question ?? "",
    assistantKey: turn.answer?.assistant_key ?? null,
    spoken: turn.spoken,
    files: turn.files,
    at: turn.at,
    state: ended ?? "searching",
    text: turn.answer?.response ?? "",
    answer: turn.answer ?? null,
    problem: turn.code && ended !== "done" ? { code: turn.code, detail: turn.detail ?? "" } : null,
    rating: turn.rating ?? null,
    comment: turn.comment ?? null,
    unansweredId: turn.unanswered_id ?? null,
    found: turn.found,
    isConnected: true,
  };
  read.set(turn, now);
  return now;
}

/** Returns the exchange after an event of its turn (docs/events.md); those that are not known leave it as it is. */
export function after(before: Exchange, event: AuraEvent): Exchange {
  const data = event.data as Record<string, string | undefined>;
  const now = {
    ...before,
    isConnected: true,
    turnId: data.turn_id ?? before.turnId,
    conversationId: data.conversation_id ?? before.conversationId,
  };
  switch (event.name) {
    case "turn.transcript":
      return { ...now, question: now.question || (data.text ?? "") };
    case "turn.retrieved":
      return { ...now, state: "searching" };
    case "turn.started":
      // A step that is done again, since its worker died, tells its answer from the beginning.
      return { ...now, state: "writing", text: "" };
    case "turn.token":
      return { ...now, state: "writing", text: now.text + (data.text ?? "") };
    case "turn.completed": {
      const answer = event.data as unknown as Answer;
      return { ...now, state: "done", text: answer.response, answer, problem: null };
    }
    case "turn.cancelled":
      return { ...now, state: "stopped" };
    case "turn.failed":
      return { ...now, state: "failed", problem: { code: data.code ?? "", detail: data.detail ?? "" } };
    case "reset":
      // What was told is not kept any more: its end will be, with the whole answer.
      return { ...now, text: "" };
    default:
      return now;
  }
}

/** A question that was asked once or several times in a row, and its answers, the newest last. */
export interface Round {
  key: string;
  versions: readonly Exchange[];
}

/** Returns exchanges as they are shown: a question that was asked again stands once, with all its answers. */
export function rounds(exchanges: readonly Exchange[]): Round[] {
  const found: { key: string; versions: Exchange[] }[] = [];
  for (const exchange of exchanges) {
    const last = found.at(-1);
    const isAgain = last && exchange.question !== "" && last.versions[0]!.question.trim() === exchange.question.trim();
    if (isAgain) last.versions.push(exchange);
    else found.push({ key: exchange.key, versions: [exchange] });
  }
  return found;
}

/** Returns what the server keeps with what is known here: of a turn that both know, what has come further counts. */
export function merged(server: readonly Exchange[], here: readonly Exchange[]): Exchange[] {
  const known = new Map(here.filter(({ turnId }) => turnId).map((each) => [each.turnId, each]));
  const shown = server.map((each) => {
    const mine = known.get(each.turnId);
    if (!mine) return each;
    known.delete(each.turnId);
    // The key stays what it was when it was asked, so that it is the same row on the page.
    return isOpen(each) || !isOpen(mine) ? { ...mine, question: mine.question || each.question } : { ...each, key: mine.key };
  });
  const others = here.filter(({ turnId }) => !turnId || known.has(turnId));
  return [...shown, ...others];
}

/** Words for how sure an answer is; the bounds are those by which the server decides whether to answer at all. */
export type Confidence = "high" | "medium" | "low";
const HIGH = 0.8;
const LOW = 0.6;

/** Returns how sure an answer is; null where it does not rest on documents, as a greeting. */
export function confidence({ answer, unansweredId }: Exchange): Confidence | null {
  if (!answer || (answer.citations.length === 0 && !unansweredId)) return null;
  return answer.context_confidence >= HIGH ? "high" : answer.context_confidence >= LOW ? "medium" : "low";
}
