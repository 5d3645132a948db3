import { expect, test, vi } from "vitest";
import type { AuraEvent, Following } from "../../api/events";
import { Problem } from "../../api/problem";
import { type Exchange, kept, type Question } from "./exchange";
import { turn } from "./examples";
import { type Line, newTalk } from "./talk";

const T = "11111111-1111-1111-1111-111111111111";
const C = "22222222-2222-2222-2222-222222222222";
const QUESTION: Question = { question: "When do you open?", assistantKey: "a", conversationId: null };

/** A server of which the test sends the events, one by one. */
function server(isAway = false) {
  let next!: (event: AuraEvent | Error | null) => void;
  const sent: Promise<AuraEvent | Error | null>[] = [];
  const more = () => sent.push(new Promise((resolve) => (next = resolve)));
  more();
  async function* stream({ onAnswer, onLine, signal }: Following) {
    await Promise.resolve();
    if (isAway) {
      onLine?.(false);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return;
    }
    onAnswer?.(new Response("", { headers: { Location: `/api/jobs/${T}/events`, Link: `</api/memory/conversations/${C}>` } }));
    for (let at = 0; !signal.aborted; at++) {
      const event = await sent[at]!;
      if (event instanceof Error) throw event;
      if (!event) return;
      yield event;
    }
  }
  const line = {
    ask: vi.fn((_: Question, _key: string, following: Following) => stream(following)),
    follow: vi.fn((_: string, following: Following) => stream(following)),
    cancel: vi.fn(() => Promise.resolve()),
    turn: vi.fn(() => Promise.resolve(turn({ turn_id: T, status: "completed", unanswered_id: "u" }))),
  } satisfies Line;
  const tell = async (name: string, data: Record<string, unknown> = {}) => {
    const told = next;
    more();
    told({ id: "1-0", name, data: { turn_id: T, ...data } });
    await settled();
  };
  return { line, tell, end: async () => (next(null), await settled()), fail: async (error: Error) => (next(error), await settled()) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));
const only = (talk: ReturnType<typeof newTalk>): Exchange => talk.exchanges()[0]!;

test("a question knows its turn and conversation before anything is told of it", async () => {
  const { line } = server();
  const talk = newTalk(line, (act) => act());
  talk.ask(QUESTION);
  await settled();
  expect(only(talk)).toMatchObject({ state: "sending", turnId: T, conversationId: C });
});

test("tokens are painted once a frame", async () => {
  const { line, tell } = server();
  const frames: (() => void)[] = [];
  const talk = newTalk(line, (act) => frames.push(act));
  talk.ask(QUESTION);
  await settled();
  frames.splice(0).forEach((paint) => paint());
  const painted = vi.fn();
  talk.subscribe(painted);
  await tell("turn.token", { text: "At " });
  await tell("turn.token", { text: "nine" });
  expect([frames.length, painted.mock.calls.length]).toEqual([1, 0]);
  frames[0]!();
  expect(painted).toHaveBeenCalledOnce();
  expect(only(talk).text).toBe("At nine");
});

test("what is kept of an answer is looked up once it has ended, and its text stays", async () => {
  const { line, tell, end } = server();
  const talk = newTalk(line, (act) => act());
  const key = talk.ask(QUESTION);
  await settled();
  await tell("turn.token", { text: "At nine" });
  await end();
  expect(only(talk)).toMatchObject({ key, unansweredId: "u", text: "At nine", state: "done" });
});

test("a question that is stopped before its turn is known is stopped then", async () => {
  const { line } = server();
  const talk = newTalk(line, (act) => act());
  talk.ask(QUESTION);
  const stopping = talk.stop(only(talk));
  expect(line.cancel).not.toHaveBeenCalled();
  await stopping;
  await settled();
  expect(line.cancel).toHaveBeenCalledWith(T);
});

test("a question that the server was not reached with is taken back at once", async () => {
  const { line } = server(true);
  const talk = newTalk(line, (act) => act());
  talk.ask(QUESTION);
  await settled();
  expect(only(talk)).toMatchObject({ state: "sending", isConnected: false });
  await talk.stop(only(talk));
  await settled();
  expect(only(talk)).toMatchObject({ state: "stopped", isConnected: true, problem: null });
  expect(line.cancel).not.toHaveBeenCalled();
});

test("a question has one key however often it is sent, and another each time it is asked", async () => {
  const { line } = server();
  const talk = newTalk(line, (act) => act());
  talk.ask(QUESTION);
  talk.ask(QUESTION);
  const keys = line.ask.mock.calls.map(([, key]) => key);
  expect(new Set(keys).size).toBe(2);
});

test("a turn is followed once, from its beginning, while it is open", async () => {
  const { line, tell } = server();
  const talk = newTalk(line, (act) => act());
  const open = kept(turn({ turn_id: T }), C);
  talk.follow(open);
  talk.follow(open);
  talk.follow(kept(turn({ turn_id: "other", status: "completed" }), C));
  await tell("turn.token", { text: "At nine" });
  expect(line.follow).toHaveBeenCalledOnce();
  expect(talk.exchanges()).toMatchObject([{ turnId: T, text: "At nine" }]);
});

test("a refusal stands with its question", async () => {
  const { line, fail } = server();
  const talk = newTalk(line, (act) => act());
  talk.ask(QUESTION);
  await settled();
  await fail(new Problem("message_too_long", "Too long.", 400));
  expect(only(talk)).toMatchObject({ state: "failed", problem: { code: "message_too_long", detail: "Too long." } });
});
