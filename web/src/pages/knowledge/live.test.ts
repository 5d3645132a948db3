import { expect, test } from "vitest";
import { changeOf, patched } from "./live";

const event = (name: string, data: Record<string, unknown> = {}) => ({ id: "1-0", name, data });
const pages = (...ids: string[]) => ({ pageParams: [undefined], pages: [{ rows: ids.map((id) => ({ id, status: "queued" })), next: null }] }) as never;

test("an event says of a document how far it is", () => {
  expect(changeOf(event("document.extracted", { done: 2, total: 5 }))).toMatchObject({ status: "running", stage: "extract", done: 2, total: 5 });
  expect(changeOf(event("document.processed", { chunks: 3, tokens: 90 }))).toMatchObject({ status: "processed", searchable: true, chunks: 3 });
  expect(changeOf(event("document.accepted"))).toBeNull();
  expect(changeOf(event("reset"))).toBeNull();
});

test("a change of one document leaves the others, and other lists, as they are", () => {
  const before = pages("a", "b") as { pages: { rows: object[] }[] };
  const after = patched(before as never, "b", { status: "running" });
  expect(after.pages[0]!.rows[1]).toMatchObject({ id: "b", status: "running" });
  expect(after.pages[0]!.rows[0]).toBe(before.pages[0]!.rows[0]);
  expect(patched(before as never, "c", { status: "running" })).toBe(before);
});
