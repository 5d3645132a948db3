import { expect, test } from "vitest";
import { matched } from "./items";

const file = (name: string, folder = "") => ({ file: new File(["x"], name), folder });
const item = (filename: string, folder = "") => ({ filename, folder });
const names = (found: ReturnType<typeof matched>) => found.map(([one, its]) => [`${one.folder}/${one.file.name}`, `${its.folder}/${its.filename}`]);

test("files are found again by folder and name, also where a name was made safe", () => {
  const files = [file("a.txt"), file("a.txt", "b"), file("what?.txt"), file("<img src=x onerror=a>.md"), file("Ubersicht\u0308.md", "c: d")];
  const items = [item("Ubersicht\u0308.md".normalize("NFC"), "c_ d"), item("a.txt", "b"), item("_img src=x onerror=a_.md"), item("a.txt")];
  expect(names(matched(files, items))).toEqual([
    ["c: d/Ubersicht\u0308.md", `c_ d/${"Ubersicht\u0308.md".normalize("NFC")}`],
    ["b/a.txt", "b/a.txt"],
    ["/<img src=x onerror=a>.md", "/_img src=x onerror=a_.md"],
    ["/a.txt", "/a.txt"],
  ]);
});

test("files of one name are told apart by their order, and what has no name left by what is left", () => {
  const [one, other, nameless] = [file("a.txt"), file("a.txt"), file("???")];
  const found = matched([one, other, nameless], [item("a.txt"), item("a.txt"), item("document")]);
  expect(found.map(([each]) => each)).toEqual([one, other, nameless]);
});

test("an archive is not taken for a file that was in it", () => {
  expect(matched([file("all.zip")], [item("inside.txt")])).toEqual([]);
});
