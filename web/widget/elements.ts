import { CSS, icon } from "./looks";

export function make<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className) made.className = className;
  return made;
}

/** Returns a button with a picture, named for who cannot see it. */
export function button(name: Parameters<typeof icon>[0], label: string, className: string, onClick: () => void): HTMLButtonElement {
  const made = make("button", className);
  made.type = "button";
  rename(made, name, label);
  made.onclick = onClick;
  return made;
}

/** Gives a button another picture and name, where these are others. */
export function rename(target: HTMLButtonElement, name: Parameters<typeof icon>[0], label: string): void {
  if (target.getAttribute("aria-label") === label) return;
  target.replaceChildren(icon(name));
  target.setAttribute("aria-label", label);
  target.title = label;
}

/** Returns a shadow that holds the widget, under the page's own elements and untouched by its styles. */
export function shadowed(side: string): ShadowRoot {
  const host = document.createElement("aura-widget");
  host.dataset.side = side;
  const shadow = host.attachShadow({ mode: "open" });
  // A constructed sheet is no inline style: a site's content policy lets it in.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  shadow.adoptedStyleSheets = [sheet];
  document.body.append(host);
  return shadow;
}
