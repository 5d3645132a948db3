import { expect, test } from "vitest";
import { fullness, problemsOf } from "./health";

test("what does not work is named as people know it", () => {
  expect(problemsOf({ postgres: true, redis: false, "worker:embed": false, "worker:chunk": true })).toEqual(["redis", "embed"]);
});

test("one waiting message is seen and a flood fills the bar", () => {
  expect([0, 1, 9, 99, 100_000].map(fullness)).toEqual([0, 15, 50, 100, 100]);
});
