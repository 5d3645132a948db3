const NUMBERS = new Set(["formality", "detail", "energy", "voice_speed"]);

/** Returns a preference's value as it is shown and typed: text as it is, anything else as JSON. */
export function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Returns what was typed as the value of a preference; numbers where the API wants some, else the text itself. */
export function valueOf(key: string, typed: string): unknown {
  const text = typed.trim();
  return NUMBERS.has(key) && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
