import { describe, expect, test } from "vitest";
import { type Answer, after, asked, confidence, type Exchange, kept, merged, rounds } from "./exchange";
import { turn } from "./examples";

const NOW = new Date("2026-11-21T20:00:00Z");
const begun = (key = "k", question = "When do you open?") => asked(key, { question, assistantKey: "default-assistant", conversationId: null }, NOW);
const event = (name: string, data: Record<string, unknown> = {}) => ({ id: "1-0", name, data: { turn_id: "t", conversation_id: "c", ...data } });
const answer = (about: Partial<Answer> = {}) => ({ response: "At nine [1].", citations: [{ number: 1 }], context_confidence: 0.9, ...about }) as Answer;

const grown = (...events: ReturnType<typeof event>[]) => events.reduce(after, begun());

describe("an answer that is streamed", () => {
  test("grows by its tokens until it is whole", () => {
    const half = grown(event("turn.retrieved"), event("turn.started"), event("turn.token", { text: "At " }), event("turn.token", { text: "ni" }));
    expect(half).toMatchObject({ state: "writing", text: "At ni", turnId: "t", conversationId: "c" });
    const whole = after(half, event("turn.completed", answer() as unknown as Record<string, unknown>));
    expect(whole).toMatchObject({ state: "done", text: "At nine [1]." });
  });

  test("begins anew where its step is done again", () => {
    const again = grown(event("turn.token", { text: "At n" }), event("turn.started", { attempt: 2 }), event("turn.token", { text: "At nine" }));
    expect(again.text).toBe("At nine");
  });

  test("keeps what had come when it is stopped or fails", () => {
    expect(grown(event("turn.token", { text: "At n" }), event("turn.cancelled"))).toMatchObject({ state: "stopped", text: "At n" });
    const failed = grown(event("turn.token", { text: "At n" }), event("turn.failed", { code: "quota_exceeded", detail: "No budget." }));
    expect(failed).toMatchObject({ state: "failed", text: "At n", problem: { code: "quota_exceeded", detail: "No budget." } });
  });
});

describe("what is shown of a conversation", () => {
  test("is what is kept where the page knows less, and the stream where the server lags behind", () => {
    const mine: Exchange = { ...begun("mine"), turnId: "t", conversationId: "c", state: "writing", text: "At" };
    expect(merged([kept(turn(), "c")], [mine])).toEqual([mine]);
    const ended = kept(turn({ status: "completed", answer: answer() }), "c");
    expect(merged([ended], [mine])).toMatchObject([{ key: "mine", state: "done", text: "At nine [1]." }]);
  });

  test("is the same exchange while its turn is, so that its row is not drawn again", () => {
    const [one, other] = [turn(), turn()];
    expect(kept(one, "c")).toBe(kept(one, "c"));
    expect(kept(one, "c")).not.toBe(kept(other, "c"));
  });

  test("ends with what the server has not heard of yet", () => {
    expect(merged([kept(turn(), "c")], [begun("new")]).map(({ key }) => key)).toEqual(["t", "new"]);
  });

  test("holds a question once that was asked again, with all its answers", () => {
    const shown = rounds([begun("a"), begun("b"), begun("c", "And on Sundays?"), begun("d")]);
    expect(shown.map(({ versions }) => versions.map(({ key }) => key))).toEqual([["a", "b"], ["c"], ["d"]]);
  });
});

test("confidence is told in three words, and of nothing that does not rest on documents", () => {
  const sure = (share: number, about: Partial<Exchange> = {}) =>
    confidence({ ...begun(), state: "done", answer: answer({ context_confidence: share }), ...about });
  expect([sure(0.8), sure(0.6), sure(0.59)]).toEqual(["high", "medium", "low"]);
  const greeting = { answer: answer({ citations: [], context_confidence: 0 }) };
  expect(sure(0, greeting)).toBeNull();
  expect(sure(0, { ...greeting, unansweredId: "u" })).toBe("low");
});
