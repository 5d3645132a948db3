import { expect, test } from "vitest";
import type { ServerMessage } from "./messages";
import { empty, told, type Transcript } from "./transcript";

const after = (...messages: ServerMessage[]): Transcript => messages.reduce(told, empty);
const thinking = { type: "state", state: "thinking", turn_id: "1" } as const;
const asked = { type: "turn.transcript", turn_id: "1", text: "When do you open?" };
const token = { type: "turn.token", turn_id: "1", text: "At " };

test("a turn grows from its question to its whole answer", () => {
  const { turns } = after(thinking, asked, token, { ...token, text: "nine." });
  expect(turns).toMatchObject([{ question: "When do you open?", answer: "At nine.", state: "open" }]);
});

test("an answer that is begun anew is not told twice", () => {
  const { turns } = after(thinking, token, { type: "turn.started", turn_id: "1", attempt: 2 }, { ...token, text: "Nine." });
  expect(turns[0]!.answer).toBe("Nine.");
});

test("what is said now gives way to the question", () => {
  const partial = { type: "turn.transcript.partial", text: "When do you", stable: "When" };
  expect(after(partial).partial).toEqual({ text: "When do you", stable: "When" });
  expect(after(partial, thinking, asked).partial.text).toBe("");
});

test("an answer that was spoken over stays as far as it came; one that had not begun is asked anew", () => {
  const cancelled = { type: "turn.cancelled", turn_id: "1", reason: "barge_in" };
  expect(after(thinking, asked, token, cancelled).turns).toMatchObject([{ answer: "At ", state: "cut" }]);
  expect(after(thinking, asked, cancelled).turns).toEqual([]);
});

test("a noise leaves nothing behind", () => {
  expect(after(thinking, { type: "turn.failed", turn_id: "1", code: "no_speech" }).turns).toEqual([]);
});

test("a typed question stands above its answer", () => {
  expect(told({ ...empty, typed: "Hello?" }, thinking)).toMatchObject({ turns: [{ question: "Hello?" }], typed: "" });
});
