/** What can be said in the line that puts a widget on a site (docs/widget.md). */
export interface Looks {
  side: "left" | "right";
  /** "" is the language of the page that it stands on. */
  language: "" | "en" | "de";
  /** Of the button before it is opened; "" is the usual one. */
  colour: string;
}

const COLOUR = /^#[0-9a-f]{6}$/i;

/** Returns the attributes of the line, without those that are as usual. */
export function attributesOf({ side, language, colour }: Looks): Record<string, string> {
  return {
    ...(side === "left" && { "data-side": side }),
    ...(language && { "data-language": language }),
    ...(COLOUR.test(colour) && { "data-colour": colour }),
  };
}

/** Returns the line with these attributes in it. Their values hold nothing that would have to be escaped. */
export function lineWith(snippet: string, attributes: Record<string, string>): string {
  const said = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
  return snippet.replace(" async>", `${said.join("")} async>`);
}

/** Returns the address of a page that shows the widget as a site would. */
export function previewOf(widgetId: string, attributes: Record<string, string>): string {
  return `/widget/preview.html?${new URLSearchParams({ "data-widget": widgetId, ...attributes })}`;
}
