import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const teal: MantineColorsTuple = [
  "#eef8f6", "#d9efeb", "#b2ded6", "#86cabf", "#5db5a8", "#3b9d90", "#1b7d73", "#0f6b63", "#0b564f", "#07423d",
];
const slate: MantineColorsTuple = [
  "#f7f8f8", "#eff1f1", "#e2e5e6", "#cfd4d6", "#aeb6ba", "#8a949a", "#69747b", "#515b62", "#384047", "#20262b",
];
const night: MantineColorsTuple = [
  "#e6e9ea", "#c5cbce", "#a4acb1", "#7b858b", "#444d53", "#343c41", "#262c30", "#191e21", "#131719", "#0c0f10",
];

export const theme = createTheme({
  colors: { teal, gray: slate, dark: night },
  primaryColor: "teal",
  // White on them has a contrast of 6.3 and 5.0.
  primaryShade: { light: 7, dark: 6 },
  black: "#171c1f",
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: '"Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", "Liberation Mono", monospace',
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.625rem", lineHeight: "1.25" },
      h2: { fontSize: "1.1875rem", lineHeight: "1.35" },
      h3: { fontSize: "1rem", lineHeight: "1.4" },
    },
  },
  components: {
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
    Modal: { defaultProps: { centered: true, radius: "lg" } },
    // Without the placeholder the focus is on the first entry, and the menu has no child that is none.
    Menu: { defaultProps: { radius: "md", shadow: "md", withInitialFocusPlaceholder: false } },
    // A link within a text is not told by its colour alone.
    Anchor: { defaultProps: { underline: "always" } },
  },
});

/** Secondary text, hints and errors that can be read on every ground we have: a contrast of 4.5 at least. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#596369",
    "--mantine-color-placeholder": "#666f75",
    "--mantine-color-error": "#b3261e",
    "--mantine-color-anchor": "#0f6b63",
    "--mantine-color-body": "#fcfcfb",
    "--aura-panel": "#ffffff",
    "--aura-side": "#f4f5f4",
    "--aura-line": "#e3e6e5",
    "--aura-line-strong": "#899296",
  },
  dark: {
    "--mantine-color-dimmed": "#a4acb1",
    "--mantine-color-placeholder": "#929ba1",
    "--mantine-color-error": "#ff9d94",
    "--mantine-color-anchor": "#7fcabe",
    "--mantine-color-body": "#131719",
    "--aura-panel": "#191e21",
    "--aura-side": "#0f1315",
    "--aura-line": "#293035",
    "--aura-line-strong": "#737e85",
  },
});
