import { createParser } from "eventsource-parser";
import { send } from "./client";
import { asProblem, Problem } from "./problem";

/** An event of the API (docs/events.md); `data` always has its `type`. */
export interface AuraEvent {
  /** Where to go on after it; "" for an event that is not kept. */
  id: string;
  name: string;
  data: Record<string, unknown>;
}

export interface Following {
  signal: AbortSignal;
  /** The id of the last event that was received before. */
  after?: string;
  /** Whether this event is the last one. A stream without an end is followed until `signal` ends it. */
  isLast?: (event: AuraEvent) => boolean;
  /** Told of the first answer, whose headers name what was begun. */
  onAnswer?: (response: Response) => void;
  /** Told whether the line is there, each time that changes. */
  onLine?: (isThere: boolean) => void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const LONGEST_SILENCE_MS = 40_000;

/** What a request came to that was not heard, or whose answer was not: the server may be at it still. */
const UNHEARD: readonly string[] = ["offline", "still_running"];

/** The events after which a document, batch, evaluation or turn has nothing more to tell. */
const ENDS = /^(document|batch|evaluation|turn)\.(processed|completed|failed|cancelled|deleted)$/;
export const isEnd = (event: AuraEvent) => ENDS.test(event.name);

/**
 * Yields the events that a request is answered with, and goes on after the last one where the line breaks.
 *
 * A POST is answered once: its answer names at `Location` where its events are found again. One that has an
 * `Idempotency-Key` is sent until it is answered, as the server does it once; any other is sent once. An event
 * `reset` says that some are missing: look at what you follow anew. Throws Problem for a refusal that will not pass.
 */
export async function* events(first: Request, following: Following): AsyncGenerator<AuraEvent> {
  const { signal, isLast = () => false, onLine } = following;
  let after = following.after ?? "";
  let again = first.method === "GET" ? first.url : "";
  let waitMs = FIRST_WAIT_MS;
  while (!signal.aborted) {
    try {
      const headers: HeadersInit = after ? { "Last-Event-ID": after } : {};
      const response = await send(again ? new Request(again, { headers, signal }) : new Request(first.clone(), { signal }));
      if (!again) {
        again = new URL(response.headers.get("Location") ?? response.url, window.location.href).href;
        following.onAnswer?.(response);
      }
      onLine?.(true);
      for await (const event of eventsOf(response)) {
        waitMs = FIRST_WAIT_MS;
        after = event.id || after;
        if (event.name === "error") throw new Problem(String(event.data.code), String(event.data.detail), 401);
        yield event;
        if (isLast(event)) return;
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const problem = thrown instanceof TypeError ? new Problem("offline", thrown.message) : asProblem(thrown);
      const mayPass = again ? problem.isPassing : first.headers.has("Idempotency-Key") && UNHEARD.includes(problem.code);
      if (!mayPass) throw problem;
      waitMs = Math.max(waitMs, problem.retryAfterS * 1000);
    }
    onLine?.(false);
    await waited(waitMs, signal);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** Follows a job to its end: a document, a batch, an evaluation or a turn goes by its own id. */
export function jobEvents(id: string, following: Following): AsyncGenerator<AuraEvent> {
  return events(new Request(`/api/jobs/${id}/events`), { isLast: isEnd, ...following });
}

async function* eventsOf(response: Response): AsyncGenerator<AuraEvent> {
  const found: AuraEvent[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => found.push({ id: id ?? "", name: event ?? "message", data: JSON.parse(data) }),
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const leave = () => void reader.cancel().catch(() => undefined);
  // A line that is dead says nothing, and reading it would never end: one that is alive is heard every 15 s.
  let silence = setTimeout(leave, LONGEST_SILENCE_MS);
  window.addEventListener("offline", leave);
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      clearTimeout(silence);
      silence = setTimeout(leave, LONGEST_SILENCE_MS);
      parser.feed(piece.value);
      yield* found.splice(0);
    }
  } finally {
    clearTimeout(silence);
    window.removeEventListener("offline", leave);
    leave();
  }
}

/** Waits as long, or until the network is back or nobody follows any more. */
function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      window.removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    window.addEventListener("online", end);
  });
}
