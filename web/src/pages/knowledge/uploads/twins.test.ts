import { expect, test } from "vitest";
import { twins } from "./twins";

const item = (filename: string, document_id: string | null, folder = "") => ({ filename, document_id, folder });

test("the second of two files of the same bytes names the first, and files without a document none", () => {
  const [one, other, copy, ...refused] = [item("a.md", "1", "shop"), item("b.md", "2"), item("a (copy).md", "1"), item("x.exe", null), item("y.exe", null)];
  expect([...twins([one!, other!, copy!, ...refused])]).toEqual([[copy, "shop/a.md"]]);
});
