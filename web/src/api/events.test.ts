import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type AuraEvent, events, isEnd, jobEvents } from "./events";
import { Problem } from "./problem";

const HERE = "http://aura.test";
const asked: Request[] = [];

const token = (id: string, text: string) => `id: ${id}\nevent: turn.token\ndata: ${JSON.stringify({ type: "turn.token", text })}\n\n`;
const END = `id: 9-0\nevent: turn.completed\ndata: {"type": "turn.completed"}\n\n`;

/** Answers with these bodies one after the other; a body is cut into pieces of a few bytes. */
function server(...answers: (string | Response | Error)[]): void {
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(request);
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    if (answer instanceof Response) return answer;
    const bytes = new TextEncoder().encode(answer);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.slice(i * 7, i * 7 + 7));
    const body = new ReadableStream({
      start: (stream) => {
        for (const piece of pieces) stream.enqueue(piece);
        stream.close();
      },
    });
    return new Response(body, { headers: { Location: `${HERE}/api/jobs/7/events` } });
  });
}

async function all(found: AsyncGenerator<AuraEvent>): Promise<unknown[]> {
  const texts: unknown[] = [];
  for await (const event of found) texts.push(event.data.text ?? event.name);
  return texts;
}

beforeEach(() => {
  asked.length = 0;
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 500 });
  vi.stubGlobal("window", { location: { href: HERE }, addEventListener: () => undefined, removeEventListener: () => undefined });
  vi.stubGlobal("localStorage", { getItem: () => null });
});
afterEach(() => vi.unstubAllGlobals());

const question = () => new Request(`${HERE}/api/chat`, { method: "POST", body: "{}" });
const following = () => ({ signal: new AbortController().signal, isLast: isEnd });

test("a question is asked once, and its answer goes on where the line broke", async () => {
  server(token("1-0", "Ti") + token("2-0", "ck"), new TypeError("network"), token("3-0", "ets") + END);
  expect(await all(events(question(), following()))).toEqual(["Ti", "ck", "ets", "turn.completed"]);
  expect(asked.map((each) => [each.method, new URL(each.url).pathname])).toEqual([
    ["POST", "/api/chat"],
    ["GET", "/api/jobs/7/events"],
    ["GET", "/api/jobs/7/events"],
  ]);
  expect(asked[2]!.headers.get("Last-Event-ID")).toBe("2-0");
});

test("a question with a key is asked until it is heard, each time with the same key", async () => {
  const busy = { code: "still_running", detail: "Still in work." };
  server(new TypeError("network"), Response.json(busy, { status: 409 }), token("1-0", "Tick") + END);
  const keyed = new Request(question(), { headers: { "Idempotency-Key": "k" } });
  expect(await all(events(keyed, following()))).toEqual(["Tick", "turn.completed"]);
  expect(asked.map((each) => [each.method, each.headers.get("Idempotency-Key")])).toEqual(Array(3).fill(["POST", "k"]));
});

test("a question without a key that was not heard is not asked again", async () => {
  server(new TypeError("network"), END);
  await expect(all(events(question(), following()))).rejects.toMatchObject({ code: "offline" });
  expect(asked).toHaveLength(1);
});

test("a line that says nothing any more is left, and the answer goes on in another", async () => {
  const silent = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode(token("1-0", "Ti"))) });
  server(new Response(silent, { headers: { Location: `${HERE}/api/jobs/7/events` } }), END);
  const found = all(events(question(), following()));
  await vi.advanceTimersByTimeAsync(45_000);
  expect(await found).toEqual(["Ti", "turn.completed"]);
});

test("a refusal that will not pass is thrown with its code", async () => {
  const refusal = { code: "forbidden", detail: "No.", trace_id: "abc" };
  server(Response.json(refusal, { status: 403 }));
  await expect(all(events(question(), following()))).rejects.toEqual(new Problem("forbidden", "No.", 403, "abc"));
});

test("a job is followed to its end and no further", async () => {
  vi.stubGlobal("Request", class extends Request {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" ? new URL(input, HERE) : input, init);
    }
  });
  server(END + token("10-0", "late"));
  expect(await all(jobEvents("7", { signal: new AbortController().signal }))).toEqual(["turn.completed"]);
});

test("nothing is asked any more once the follower is gone", async () => {
  const leaving = new AbortController();
  server(token("1-0", "Ti"));
  for await (const _ of events(question(), { signal: leaving.signal })) leaving.abort();
  expect(asked).toHaveLength(1);
});
