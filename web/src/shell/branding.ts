type Rgb = readonly [number, number, number];

const HEX = /^#(?:[0-9a-f]{3}){1,2}$/i;
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
/** The lightest ground at night, that of panels. */
const NIGHT: Rgb = [25, 30, 33];
const READABLE = 4.6;
const STEPS = 40;

/** Returns the parts of a colour as #rgb or #rrggbb, each 0 to 255; null for anything else. */
function parsed(colour: string): Rgb | null {
  if (!HEX.test(colour)) return null;
  const digits = colour.slice(1).length === 3 ? [...colour.slice(1)].map((each) => each + each).join("") : colour.slice(1);
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16)) as unknown as Rgb;
}

/** WCAG 2 relative luminance, 0 to 1. */
function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Returns the contrast of two colours by WCAG 2, 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Returns the colour, moved no further towards `to` than it takes to be read on or under `ground`. */
function readable(colour: Rgb, ground: Rgb, to: Rgb): Rgb {
  const moved = (step: number) => colour.map((part, at) => Math.round(part + ((to[at]! - part) * step) / STEPS)) as unknown as Rgb;
  return Array.from({ length: STEPS + 1 }, (_, step) => moved(step)).find((each) => contrast(each, ground) >= READABLE) ?? to;
}

const hex = (colour: Rgb) => `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

/**
 * Returns the variables of the theme by which buttons and links have an organisation's colour; none where it has none.
 *
 * It is darkened until white can be read on it, and for links at night lightened until they can be read on the ground.
 */
export function brandVariables(colour: string | undefined): Record<string, string> {
  const found = parsed(colour ?? "");
  if (!found) return {};
  const fill = readable(found, WHITE, BLACK);
  const link = readable(found, NIGHT, WHITE);
  return {
    "--mantine-primary-color-filled": hex(fill),
    "--mantine-primary-color-filled-hover": `color-mix(in srgb, ${hex(fill)} 88%, black)`,
    "--mantine-color-anchor": `light-dark(${hex(fill)}, ${hex(link)})`,
  };
}
