import { expect, test } from "vitest";
import { chosen, dropped } from "./walk";

const MOST_AT_ONCE = 100;

const file = (name: string) => ({ isFile: true, name, file: (resolve: (found: File) => void) => resolve(new File(["x"], name)) });

/** A folder as Chromium gives it: a hundred entries at a time, and none at its end. */
function folder(name: string, entries: object[]) {
  return {
    isFile: false,
    name,
    createReader: () => {
      let read = 0;
      return { readEntries: (resolve: (found: object[]) => void) => resolve(entries.slice(read, (read += MOST_AT_ONCE))) };
    },
  };
}

const transfer = (...entries: object[]) => ({ items: entries.map((entry) => ({ kind: "file", webkitGetAsEntry: () => entry })) }) as unknown as DataTransfer;

test("all files of a folder are found, in any depth, however many", async () => {
  const many = Array.from({ length: 250 }, (_, number) => file(`${number}.txt`));
  const found = await dropped(transfer(file("top.md"), folder("a", [...many, folder("b", [file("deep.pdf")]), file(".DS_Store")])));
  expect(found).toHaveLength(252);
  expect(found[0]).toMatchObject({ folder: "" });
  expect(found.at(-1)).toMatchObject({ folder: "a/b", file: { name: "deep.pdf" } });
});

test("a chosen folder keeps its paths", () => {
  const inside = Object.defineProperty(new File(["x"], "c.txt"), "webkitRelativePath", { value: "a/b/c.txt" });
  const alone = Object.defineProperty(new File(["x"], "d.txt"), "webkitRelativePath", { value: "" });
  expect(chosen([inside, alone]).map((each) => each.folder)).toEqual(["a/b", ""]);
});
