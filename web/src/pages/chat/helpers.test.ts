import { describe, expect, test } from "vitest";
import { around, split } from "./passages";
import { steps } from "./steps";
import { suggestions } from "./suggestions";
import { type Attached, grown } from "./uploads";

describe("a passage in its context", () => {
  test("is marked where it stands, however its spaces are", () => {
    expect(split("Hello. All shops\nopen at nine. Bye.", "All shops open at nine.")).toEqual(["Hello. ", "All shops\nopen at nine.", " Bye."]);
  });

  test("of a table is the row below its header", () => {
    expect(split("| Item | Price |\n| Helmet | 4 |\n| Lock | 2 |", "| Item | Price |\n| Lock | 2 |")[1]).toBe("| Lock | 2 |");
  });

  test("is the whole chunk where the words are not found", () => expect(split("Other words.", "a (b [c")).toEqual(["", "Other words.", ""]));

  test("stands between its neighbours", () => {
    expect([around(0), around(1), around(5)]).toEqual([{ limit: 2 }, { limit: 3 }, { limit: 3, after: "3" }]);
  });
});

test("the waterfall has each step in its order, its wait before its run, within the whole", () => {
  const { rows, totalMs } = steps({
    generate: { start_ms: 60, queued_ms: 10, run_ms: 140 },
    retrieve: { start_ms: 10, queued_ms: 10, run_ms: 40 },
    first_token_ms: 100,
    speculated: true,
    nonsense: "<script>",
  });
  expect(totalMs).toBe(200);
  expect(rows.map(({ step }) => step)).toEqual(["retrieve", "generate", "firstWord"]);
  expect(rows[1]).toMatchObject({ left: 25, waited: 5, ran: 70, runMs: 140, queuedMs: 10 });
  expect(steps({})).toEqual({ rows: [], totalMs: 0 });
});

test("questions are suggested of documents that the assistant may use, each once", () => {
  const of = (title: string, assistant_key: string | null = null, filename = "a_long-name.pdf") => ({ title, filename, assistant_key });
  const found = suggestions([of("Prices"), of("Prices"), of("Secret", "other"), of("Hours", "mine"), of("")], "mine");
  expect(found.map(({ title }) => title)).toEqual(["Prices", "Hours", "a long name"]);
});

test("a file is sent, read, and ready or refused with the reason", () => {
  const sent: Attached = { key: "k", name: "a.pdf", state: "reading", share: null, documentId: "d", problem: null };
  const event = (name: string, data: Record<string, unknown> = {}) => ({ id: "", name, data });
  expect(grown(sent, event("document.embedded", { done: 3, total: 4 }))).toMatchObject({ state: "reading", share: 0.75 });
  expect(grown(sent, event("document.processed"))).toMatchObject({ state: "ready" });
  expect(grown(sent, event("document.failed", { code: "encrypted", detail: "It needs a password." }))).toMatchObject({
    state: "failed",
    problem: { code: "encrypted", detail: "It needs a password." },
  });
});
