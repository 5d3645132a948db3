import { expect, test } from "vitest";
import { readable, together } from "./loads";
import { begun } from "./sent";

const MIB = 1 << 20;
const sized = (...sizes: number[]) => begun("d", sizes.map((size, index) => ({ file: { name: `${index}`, size } as File, folder: "" })));

test("small files go together up to a size and a number, a large one alone", () => {
  const files = sized(10 * MIB, 6 * MIB, 1, 20 * MIB, ...Array.from({ length: 30 }, () => 1));
  const loads: number[] = [];
  for (let next = together(files); next.length > 0; next = together(files)) {
    loads.push(next.length);
    for (const file of next) file.state = "sent";
  }
  expect(loads).toEqual([2, 1, 1, 25, 5]);
});

test("a file that is gone is refused, and hinders no other", async () => {
  const gone = { name: "gone", size: 1, slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotReadableError")) }) };
  const files = begun("d", [{ file: gone as unknown as File, folder: "" }, { file: new File(["x"], "there"), folder: "" }]);
  expect((await readable(files)).map(({ file }) => file.name)).toEqual(["there"]);
  expect(files[0]).toMatchObject({ state: "refused", code: "gone" });
});
