import { expect, test } from "vitest";
import { translator } from "./catalogue";
import { de } from "./de";
import { en } from "./en";

const flat = (catalogue: object) =>
  Object.entries(catalogue).flatMap(([area, messages]) =>
    Object.entries(messages as Record<string, unknown>).map(([key, text]) => [`${area}.${key}`, JSON.stringify(text)] as const),
  );

test("both languages have the same messages", () => {
  expect(flat(de).map(([key]) => key)).toEqual(flat(en).map(([key]) => key));
});

test("both languages leave the same places to fill in", () => {
  const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
  const german = new Map(flat(de));
  for (const [key, text] of flat(en)) expect([key, places(german.get(key)!)]).toEqual([key, places(text)]);
});

test("numbers and plurals are written as the language writes them", () => {
  expect(translator(en, "en")("common.allShown", { count: 1 })).toBe("1 entry");
  expect(translator(de, "de")("common.allShown", { count: 1200 })).toBe("1.200 Einträge");
});
