/** How the widget looks: all of it inside its shadow, so that neither the site's styles nor ours reach the other. */

const FALLBACK = "#0f6b63";
const COLOUR = /^#[0-9a-f]{6}$/i;

/** Returns the organisation's main colour, and what can be read on it. */
export function coloursOf(brand: Record<string, string> | null): { main: string; onMain: string } {
  const named = brand?.primary ?? Object.values(brand ?? {})[0] ?? "";
  const main = COLOUR.test(named) ? named : FALLBACK;
  return { main, onMain: luminance(main) > 0.18 ? "#101415" : "#ffffff" };
}

/** WCAG 2 relative luminance: black and white have the same contrast, 4.6, to a colour of 0.18. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export const CSS = `
:host { all: initial; color-scheme: light dark; --ground: #fff; --text: #171c1f; --dim: #596369; --line: #dfe3e4; --mine: #eef1f1; }
@media (prefers-color-scheme: dark) {
  :host { --ground: #191e21; --text: #e6e9ea; --dim: #a4acb1; --line: #343c41; --mine: #2a3136; }
}
* { box-sizing: border-box; font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
:focus-visible { outline: 2px solid var(--text); outline-offset: 2px; }
button { font: inherit; cursor: pointer; border: 0; }
button:disabled { opacity: .5; cursor: default; }
.launch { position: fixed; z-index: 2147483000; bottom: 20px; right: 20px; width: 60px; height: 60px; border-radius: 30px;
  background: var(--main); color: var(--on-main); display: grid; place-items: center; box-shadow: 0 4px 18px rgb(0 0 0 / .28); }
.launch svg, .panel svg { width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
:host([data-side=left]) .launch, :host([data-side=left]) .panel { right: auto; left: 20px; }
.panel { position: fixed; z-index: 2147483000; bottom: 92px; right: 20px; width: min(384px, calc(100vw - 40px)); height: min(620px, calc(100dvh - 112px));
  display: flex; flex-direction: column; overflow: hidden; border-radius: 16px; border: 1px solid var(--line); background: var(--ground); color: var(--text);
  font-size: 15px; line-height: 1.5; box-shadow: 0 12px 48px rgb(0 0 0 / .3); }
[hidden] { display: none !important; }
header { display: flex; align-items: center; gap: 10px; padding: 12px 12px 12px 16px; background: var(--main); color: var(--on-main); }
header img { max-height: 28px; max-width: 96px; border-radius: 4px; }
header h2 { flex: 1; margin: 0; font-size: 16px; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
header button { width: 36px; height: 36px; border-radius: 18px; background: transparent; color: inherit; display: grid; place-items: center; }
header button:focus-visible { outline-color: currentColor; }
.log { flex: 1; overflow-y: auto; padding: 16px; display: flex; flex-direction: column; gap: 12px; }
.log p { margin: 0; white-space: pre-line; overflow-wrap: anywhere; }
.mine { align-self: flex-end; max-width: 86%; padding: 8px 13px; border-radius: 14px 14px 3px; background: var(--mine); }
.theirs { max-width: 100%; }
.theirs em { color: var(--dim); font-size: 13px; }
.mark { min-width: 24px; height: 24px; margin: 0 2px; padding: 0 6px; border: 1px solid var(--dim); border-radius: 7px; background: transparent; color: inherit; font-size: 12px; }
.quote { margin: 6px 0 0; padding: 6px 12px; border-left: 3px solid var(--main); color: var(--dim); font-size: 13px; white-space: pre-line; overflow-wrap: anywhere; }
.quote b { display: block; color: var(--text); }
.fault { color: #b3261e; } @media (prefers-color-scheme: dark) { .fault { color: #ff9d94; } }
.call { display: flex; align-items: center; gap: 12px; padding: 12px 16px; border-top: 1px solid var(--line); }
.call span { flex: 1; min-width: 0; }
.call i { display: flex; align-items: center; gap: 3px; height: 28px; }
.call i b { width: 4px; border-radius: 2px; background: var(--text); height: calc(4px + var(--level, 0) * 22px); }
.call i b:nth-child(2) { height: calc(4px + var(--level, 0) * 14px); } .call i b:nth-child(3) { height: calc(4px + var(--level, 0) * 18px); }
form { display: flex; gap: 8px; align-items: flex-end; padding: 12px; border-top: 1px solid var(--line); }
textarea { flex: 1; min-width: 0; resize: none; padding: 9px 12px; border: 1px solid var(--dim); border-radius: 12px; background: transparent; color: inherit; font: inherit; font-size: 16px; max-height: 120px; }
textarea:focus-visible { outline-offset: -1px; }
.round { flex: none; width: 42px; height: 42px; border-radius: 21px; display: grid; place-items: center; background: var(--main); color: var(--on-main); }
.quiet { background: transparent; color: var(--text); border: 1px solid var(--dim); }
.small { margin: 0; padding: 0 16px 10px; color: var(--dim); font-size: 12px; }
@media (max-width: 480px) {
  .panel, :host([data-side=left]) .panel { inset: 0; width: 100%; height: 100dvh; border: 0; border-radius: 0; }
}
`;

const PATHS = {
  chat: "M4 5h16v11H9l-5 4z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12h15M13 6l6 6-6 6",
  talk: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4",
  muted: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4M4 4l16 16",
  stop: "M7 7h10v10H7z",
};

/** Returns a picture that stands beside words or a label. */
export function icon(name: keyof typeof PATHS): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
