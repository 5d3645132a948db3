import { expect, test } from "vitest";
import { brandVariables } from "./branding";

const FILL = "--mantine-primary-color-filled";

test("a colour on which white can be read is taken as it is, also in its short form", () => {
  expect(brandVariables("#1b5fa8")[FILL]).toBe("#1b5fa8");
  expect(brandVariables("#024")[FILL]).toBe("#002244");
});

test("a bright colour is darkened for buttons and kept for links at night", () => {
  const found = brandVariables("#ffdd00");
  expect(found[FILL]).toBe("#867400");
  expect(found["--mantine-color-anchor"]).toBe("light-dark(#867400, #ffdd00)");
});

test("what is no colour changes nothing", () => {
  expect(brandVariables(undefined)).toEqual({});
  expect(brandVariables("red;--x:url(//y)")).toEqual({});
});
