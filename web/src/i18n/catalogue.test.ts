import { expect, test } from "vitest";
import { sayer, translator } from "./catalogue";
import { de, problems } from "./de";
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

test("an error is said in the user's language, and in the API's where nothing else is known", () => {
  const damaged = { code: "damaged", detail: "The file is damaged or cut short and could not be read." };
  expect(sayer(problems)(damaged)).toContain("Die Datei ist beschädigt");
  expect(sayer()(damaged)).toBe(damaged.detail);
  expect(sayer(problems)({ code: "brand_new", detail: "Only said in English." })).toBe("Only said in English.");
  expect(sayer(problems)({ code: "invalid_request", detail: "$& is no name." })).toBe("Das geht so nicht: $& is no name.");
  expect(sayer(problems)({ code: "toString", detail: "x" })).toBe("x");
});

test("numbers and plurals are written as the language writes them", () => {
  expect(translator(en, "en")("common.allShown", { count: 1 })).toBe("1 entry");
  expect(translator(de, "de")("common.allShown", { count: 1200 })).toBe("1.200 Einträge");
});
