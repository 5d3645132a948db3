import { expect, test } from "vitest";
import { valueOf, valueText } from "./preference";

test("what the API wants as a number is sent as one, and a name of digits stays a name", () => {
  expect(valueOf("detail", " 0.2 ")).toBe(0.2);
  expect(valueOf("name", "007")).toBe("007");
  expect(valueOf("detail", "much")).toBe("much");
});

test("a value is shown as it would be typed", () => {
  expect(valueText("Ada")).toBe("Ada");
  expect(valueText({ a: 1 })).toBe('{"a":1}');
});
