import { expect, test } from "vitest";
import { coloursOf } from "./looks";

test("words can be read on any colour that an organisation chose", () => {
  expect(coloursOf({ primary: "#ffdd00" }).onMain).toBe("#101415");
  expect(coloursOf({ primary: "#003366" }).onMain).toBe("#ffffff");
});

test("what is no colour is not put into the style", () => {
  expect(coloursOf({ primary: "red;background:url(//x)" }).main).toBe("#0f6b63");
  expect(coloursOf(null).main).toBe("#0f6b63");
});
