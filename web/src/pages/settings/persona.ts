import type { MessageKey } from "../../i18n/catalogue";

export const TRAITS = ["formality", "detail", "energy"] as const;
export type Trait = (typeof TRAITS)[number];
export type Tone = Record<Trait, number>;

export const NEUTRAL: Tone = { formality: 0.5, detail: 0.5, energy: 0.5 };

/** Returns the tone among a user's preferences; what they have not said is neutral. */
export function toneOf(preferences: readonly { key: string; value: unknown }[]): Tone {
  const found = { ...NEUTRAL };
  for (const { key, value } of preferences) if (key in found && typeof value === "number") found[key as Trait] = value;
  return found;
}

/** Returns which of the three ways of saying something a trait asks for. */
export function third(value: number): 0 | 1 | 2 {
  return value < 1 / 3 ? 0 : value <= 2 / 3 ? 1 : 2;
}

/** Returns the messages of which an example in this tone is made, in their order. */
export function example(tone: Tone): MessageKey[] {
  return [`settings.sayFormality${third(tone.formality)}`, `settings.sayDetail${third(tone.detail)}`, `settings.sayEnergy${third(tone.energy)}`];
}
