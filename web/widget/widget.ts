/**
 * Puts an assistant on a site: `<script src="https://…/widget/widget.js" data-widget="ID" async></script>`.
 *
 * `data-side="left"` puts it there, `data-language="de"` says its language where the page's own is another.
 */
import { button, shadowed } from "./elements";
import { coloursOf } from "./looks";
import { Panel } from "./panel";
import { Stay } from "./visit";
import { wordsOf } from "./words";

const script = document.currentScript as HTMLScriptElement | null;

function put(source: string, about: DOMStringMap): void {
  const { widget = "", side = "right", language = "", colour = "" } = about;
  const words = wordsOf(language || document.documentElement.lang || navigator.language);
  const stay = new Stay(new URL(source).origin, widget);
  const shadow = shadowed(side);
  const host = shadow.host as HTMLElement;
  const { main, onMain } = coloursOf({ primary: colour });
  host.style.setProperty("--main", main);
  host.style.setProperty("--on-main", onMain);

  const launch = button("chat", words.open, "launch", () => shown(panel.element.hidden));
  const panel = new Panel(stay, words, () => shown(false));
  const shown = (isOpen: boolean) => {
    if (isOpen) void panel.open();
    else {
      panel.close();
      launch.focus();
    }
    launch.setAttribute("aria-expanded", String(isOpen));
  };
  launch.setAttribute("aria-expanded", "false");
  shadow.append(launch, panel.element);
}

if (script?.dataset.widget) {
  const { src, dataset } = script;
  if (document.body) put(src, dataset);
  else document.addEventListener("DOMContentLoaded", () => put(src, dataset));
}
