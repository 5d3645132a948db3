import type { Schemas } from "../../api/client";
import type { MessageKey } from "../../i18n/catalogue";

/** What a new assistant begins as; all of it can be changed. */
export interface Template {
  id: "custom" | "receptionist" | "realEstate" | "support" | "tutor";
  name: MessageKey;
  text: MessageKey;
  greeting: MessageKey | null;
  instructions: MessageKey | null;
  persona: Partial<Schemas["PersonaTraits"]>;
}

export const TEMPLATES: readonly Template[] = [
  { id: "custom", name: "assistants.custom", text: "assistants.customText", greeting: null, instructions: null, persona: {} },
  {
    id: "receptionist",
    name: "assistants.receptionist",
    text: "assistants.receptionistText",
    greeting: "assistants.receptionistGreeting",
    instructions: "assistants.receptionistInstructions",
    persona: { formality: 0.7, detail: 0.3, energy: 0.6 },
  },
  {
    id: "realEstate",
    name: "assistants.realEstate",
    text: "assistants.realEstateText",
    greeting: "assistants.realEstateGreeting",
    instructions: "assistants.realEstateInstructions",
    persona: { formality: 0.6, detail: 0.6, energy: 0.7 },
  },
  {
    id: "support",
    name: "assistants.support",
    text: "assistants.supportText",
    greeting: "assistants.supportGreeting",
    instructions: "assistants.supportInstructions",
    persona: { formality: 0.5, detail: 0.7, energy: 0.4 },
  },
  {
    id: "tutor",
    name: "assistants.tutor",
    text: "assistants.tutorText",
    greeting: "assistants.tutorGreeting",
    instructions: "assistants.tutorInstructions",
    persona: { formality: 0.3, detail: 0.8, energy: 0.7 },
  },
];

const MOST_CHARS = 63;

/** Returns a key made of a name, as addresses may hold it: "Büro München" gives "buro-munchen"; "" where nothing is left. */
export function keyOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").replace(/ß/g, "ss").toLowerCase();
  return plain
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, MOST_CHARS)
    .replace(/-+$/, "");
}
