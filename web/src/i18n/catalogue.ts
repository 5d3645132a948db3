import type { en } from "./en";

/** A message by number of things; `{count}` stands for the number. */
export interface Plural {
  one: string;
  other: string;
}

/** What another language's catalogue of an area must hold: the same keys, in its own words. */
export type Like<Area> = { readonly [Key in keyof Area]: Area[Key] extends string ? string : Plural };

export type Catalogue = { readonly [Area in keyof typeof en]: Like<(typeof en)[Area]> };

/** The key of every message there is: `chat.send`. */
export type MessageKey = {
  [Area in keyof typeof en]: `${Area & string}.${keyof (typeof en)[Area] & string}`;
}[keyof typeof en];

/** What stands in for `{names}` in a message. */
export type Values = Readonly<Record<string, string | number>>;

export type Translate = (key: MessageKey, values?: Values) => string;

/** What the API says went wrong: a stable code, and its sentence in English. */
export interface Said {
  code?: string | null | undefined;
  detail?: string | null | undefined;
}

/** Returns what says an error by the sentences of a language, and in the API's own where it has none for its code. */
export function sayer(sentences: Readonly<Record<string, string>> = {}): (said: Said) => string {
  return ({ code, detail }) => {
    const own = code && Object.hasOwn(sentences, code) ? sentences[code]! : "{said}";
    return own.replace("{said}", () => detail ?? "").trim();
  };
}

/** Returns what writes a catalogue's messages: numbers as the language writes them, plurals by `count`. */
export function translator(catalogue: Catalogue, language: string): Translate {
  // Made when they are needed: the first of them costs a first page a fifth of its time.
  let numbers: Intl.NumberFormat | undefined;
  let plurals: Intl.PluralRules | undefined;
  return (key, values = {}) => {
    const [area, name] = key.split(".", 2) as [string, string];
    const found = (catalogue as Record<string, Record<string, string | Plural>>)[area]![name]!;
    const isOne = () => (plurals ??= new Intl.PluralRules(language)).select(Number(values.count)) === "one";
    const text = typeof found === "string" ? found : isOne() ? found.one : found.other;
    return text.replace(/\{(\w+)\}/g, (whole, value: string) => {
      const given = values[value];
      return given === undefined ? whole : typeof given === "number" ? (numbers ??= new Intl.NumberFormat(language)).format(given) : given;
    });
  };
}
