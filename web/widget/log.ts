import type { Item } from "./visit";
import type { Words } from "./words";

/** The messages: one element each, changed in place, text only: what an answer holds never becomes markup. */
export class Log {
  readonly element = document.createElement("div");
  readonly #shown = new Map<string, { item: Item; element: HTMLElement }>();

  constructor(private readonly words: Words) {
    this.element.className = "log";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "log");
    this.element.setAttribute("aria-live", "polite");
  }

  show(items: readonly Item[]): void {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    const wasAtEnd = scrollHeight - scrollTop - clientHeight < 60;
    const ids = new Set(items.map(({ id }) => id));
    for (const [id, { element }] of this.#shown) {
      if (!ids.has(id)) (element.remove(), this.#shown.delete(id));
    }
    for (const item of items) this.#put(item);
    if (wasAtEnd) this.element.scrollTop = this.element.scrollHeight;
  }

  #put(item: Item): void {
    const before = this.#shown.get(item.id);
    if (before?.item === item) return;
    const element = before?.element ?? document.createElement("div");
    element.className = item.isMine ? "mine" : "theirs";
    // An answer is read out once it is whole, not word by word.
    element.setAttribute("aria-busy", String(item.state === "open"));
    element.replaceChildren(...(item.isMine ? [paragraph(item.text)] : this.#answer(item)));
    if (!before) this.element.append(element);
    this.#shown.set(item.id, { item, element });
  }

  #answer(item: Item): Node[] {
    const text = paragraph("");
    if (item.state === "failed") text.className = "fault";
    if (!item.text && item.state === "open") text.append(note(this.words.thinking));
    const quotes: Node[] = [];
    for (const piece of item.text.split(/(\[\d+\])/)) {
      const number = Number(/^\[(\d+)\]$/.exec(piece)?.[1]);
      const citation = item.citations.find((one) => one.number === number);
      if (!citation) {
        text.append(piece);
        continue;
      }
      const quote = document.createElement("div");
      quote.className = "quote";
      quote.hidden = true;
      const name = document.createElement("b");
      name.textContent = citation.filename ?? "";
      const page = citation.page ? [this.words.page.replace("{page}", String(citation.page))] : [];
      quote.append(name, [...(citation.heading_path ?? []), ...page].join(" · "));
      const mark = document.createElement("button");
      mark.type = "button";
      mark.className = "mark";
      mark.textContent = String(number);
      mark.setAttribute("aria-label", this.words.source.replace("{number}", String(number)));
      mark.setAttribute("aria-expanded", "false");
      mark.onclick = () => {
        quote.hidden = !quote.hidden;
        mark.setAttribute("aria-expanded", String(!quote.hidden));
      };
      text.append(mark);
      quotes.push(quote);
    }
    if (item.state === "cut") text.append(" ", note(`(${this.words.cut})`));
    return [text, ...quotes];
  }
}

function paragraph(text: string): HTMLElement {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function note(text: string): HTMLElement {
  const made = document.createElement("em");
  made.textContent = text;
  return made;
}
