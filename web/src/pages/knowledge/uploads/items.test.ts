import { expect, test } from "vitest";
import { matched } from "./items";

const file = (name: string, folder = "") => ({ file: new File(["x"], name), folder });
const item = (filename: string, folder = "") => ({ filename, folder }) as never;

test("files are found again by folder and name, and by their order where a name was made safe", () => {
  const files = [file("a.txt"), file("a.txt", "b"), file("what?.txt")];
  const found = matched(files, [item("a.txt", "b"), item("what_.txt"), item("a.txt")]);
  expect(found.map(([one, its]) => [one.folder, one.file.name, (its as { filename: string }).filename])).toEqual([
    ["b", "a.txt", "a.txt"],
    ["", "a.txt", "a.txt"],
    ["", "what?.txt", "what_.txt"],
  ]);
});

test("an archive is not taken for a file that was in it", () => {
  expect(matched([file("all.zip")], [item("inside.txt")])).toEqual([]);
});
