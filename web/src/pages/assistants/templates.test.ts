import { expect, test } from "vitest";
import { keyOf } from "./templates";

test("a key is what addresses may hold of a name", () => {
  expect(keyOf("Büro München")).toBe("buro-munchen");
  expect(keyOf("  Straße & Co. ")).toBe("strasse-co");
  expect(keyOf("<img src=x onerror=alert(1)>")).toBe("img-src-x-onerror-alert-1");
  expect(keyOf("日本")).toBe("");
  expect(keyOf("a".repeat(62) + "-b-c")).toBe(`${"a".repeat(62)}`);
});
