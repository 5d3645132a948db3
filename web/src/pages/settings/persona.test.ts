import { expect, test } from "vitest";
import { example, NEUTRAL, third, toneOf } from "./persona";

test("a tone is read from preferences, and what is no number stays neutral", () => {
  const found = toneOf([{ key: "detail", value: 0.1 }, { key: "energy", value: "high" }, { key: "team", value: 1 }]);
  expect(found).toEqual({ ...NEUTRAL, detail: 0.1 });
});

test("the ends and the middle of a slider are said differently", () => {
  expect([0, 0.33, 0.34, 0.5, 0.66, 0.67, 1].map(third)).toEqual([0, 0, 1, 1, 1, 2, 2]);
});

test("the example has a part for each trait", () => {
  expect(example({ formality: 1, detail: 0, energy: 0.5 })).toEqual(["settings.sayFormality2", "settings.sayDetail0", "settings.sayEnergy1"]);
});
