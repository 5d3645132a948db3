import type { VoiceCall } from "../src/voice/call";
import type { Turn } from "../src/voice/transcript";
import { button, make, rename } from "./elements";
import { Log } from "./log";
import { coloursOf } from "./looks";
import { Strip } from "./strip";
import { type Item, Refused, type Stay, type Visit } from "./visit";
import type { Words } from "./words";

/** The widget's panel: who answers, what was said, a field, and a call. */
export class Panel {
  readonly element = make("section", "panel");
  readonly #log: Log;
  readonly #field = make("textarea", "");
  readonly #title = make("h2", "");
  readonly #talkButton: HTMLButtonElement;
  readonly #sendButton: HTMLButtonElement;
  readonly #strip: Strip;
  #items: Item[];
  #asking: AbortController | null = null;
  #turnId = "";
  #call: VoiceCall | null = null;

  constructor(
    private readonly stay: Stay,
    private readonly words: Words,
    private readonly onClose: () => void,
  ) {
    this.#items = [...stay.items];
    this.#log = new Log(words);
    this.#strip = new Strip(words);
    this.element.hidden = true;
    this.element.setAttribute("role", "dialog");
    this.#title.id = "aura-title";
    this.element.setAttribute("aria-labelledby", this.#title.id);
    this.#talkButton = button("talk", words.talk, "round quiet", () => void this.#talk());
    this.#talkButton.hidden = true;
    this.#sendButton = button("send", words.send, "round", () => undefined);
    this.#sendButton.type = "submit";
    const small = make("p", "small");
    small.textContent = words.disclosure;
    this.element.append(this.#header(), this.#log.element, this.#strip.element, this.#form(), small);
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && onClose());
    this.#show();
  }

  /** Lets the visitor in, where that has not happened, and puts the focus into the field. */
  async open(): Promise<void> {
    this.element.hidden = false;
    this.#field.focus();
    try {
      this.#dress(await this.stay.visit());
    } catch (thrown) {
      this.#say(thrown instanceof Refused ? thrown.message : this.words.offline, "failed");
    }
  }

  close(): void {
    this.element.hidden = true;
    this.#call?.end();
  }

  #header(): HTMLElement {
    const header = make("header", "");
    header.append(this.#title, button("close", this.words.close, "", this.onClose));
    return header;
  }

  #form(): HTMLElement {
    const form = make("form", "");
    this.#field.rows = 1;
    this.#field.maxLength = 4000;
    this.#field.placeholder = this.words.ask;
    this.#field.setAttribute("aria-label", this.words.ask);
    this.#field.onkeydown = (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      if (this.#asking) return this.#stop();
      const question = this.#field.value.trim();
      if (!question) return;
      this.#field.value = "";
      if (this.#call) this.#call.ask(question);
      else void this.#ask(question);
    };
    form.append(this.#field, this.#talkButton, this.#sendButton);
    return form;
  }

  /** Gives the panel the organisation's looks and the assistant's first words. */
  #dress(visit: Visit): void {
    const { main, onMain } = coloursOf(visit.branding.brand_colors);
    const host = (this.element.getRootNode() as ShadowRoot).host as HTMLElement;
    host.style.setProperty("--main", main);
    host.style.setProperty("--on-main", onMain);
    this.#title.textContent = visit.name;
    const header = this.#title.parentElement!;
    if (visit.branding.custom_logo && !header.querySelector("img")) {
      const logo = make("img", "");
      logo.alt = visit.branding.organization_name;
      logo.referrerPolicy = "no-referrer";
      // A site's content policy may shut it out.
      logo.onerror = () => logo.remove();
      logo.src = visit.branding.custom_logo;
      header.prepend(logo);
    }
    this.#talkButton.hidden = !visit.voice;
    if (this.#items.length === 0) this.#say(visit.greeting || this.words.greeting);
  }

  async #ask(question: string): Promise<void> {
    const [mine, theirs] = [crypto.randomUUID?.() ?? `${Date.now()}q`, `${Date.now()}a`];
    const open = { citations: [], state: "open" as const };
    this.#put({ ...open, id: mine, isMine: true, text: question, state: "done" });
    this.#put({ ...open, id: theirs, isMine: false, text: "" });
    this.#asking = new AbortController();
    this.#busy();
    try {
      await this.stay.ask(question, (name, data) => this.#heard(theirs, name, data), this.#asking.signal);
    } catch (thrown) {
      const text = thrown instanceof Refused ? thrown.message : this.words.offline;
      this.#change(theirs, { text, state: "failed" });
    }
    this.#asking = null;
    this.#busy();
    this.stay.keep({ items: this.#items });
  }

  #heard(id: string, name: string, data: Record<string, unknown>): void {
    this.#turnId = String(data.turn_id ?? this.#turnId);
    const item = this.#items.find((one) => one.id === id);
    if (name === "turn.started") this.#change(id, { text: "" });
    else if (name === "turn.token") this.#change(id, { text: (item?.text ?? "") + String(data.text ?? "") });
    else if (name === "turn.failed") this.#change(id, { text: this.words.failed, state: "failed" });
    else if (name === "turn.cancelled") this.#change(id, { state: "cut" });
    else if (name === "turn.completed") {
      this.stay.keep({ conversationId: String(data.session_id ?? this.stay.conversationId) });
      this.#change(id, { text: String(data.response ?? ""), citations: (data.citations as Item["citations"]) ?? [], state: "done" });
    }
  }

  #stop(): void {
    if (this.#turnId) void this.stay.stop(this.#turnId);
    else this.#asking?.abort();
  }

  /** Begins a call, or ends it. Its code is loaded now. */
  async #talk(): Promise<void> {
    if (this.#call) return this.#call.end();
    // A button that is disabled would lose the focus.
    if (this.#talkButton.ariaBusy === "true") return;
    this.#talkButton.ariaBusy = "true";
    try {
      const address = new URL("/widget/voice.js", this.stay.server).href;
      const voice = (await import(/* @vite-ignore */ address)) as typeof import("./voice");
      const token = async () => (await this.stay.visit()).token;
      this.#call = voice.talk(this.stay.server, token, this.stay.conversationId, () => this.#called());
      this.#strip.follow(this.#call);
      // It may have failed at once, before there was anybody to tell.
      this.#called();
    } catch {
      this.#say(this.words.offline, "failed");
    }
    this.#talkButton.ariaBusy = null;
  }

  /** Shows where the call stands. */
  #called(): void {
    const call = this.#call;
    if (!call) return;
    const { phase, fault, turns, conversationId } = call.view;
    if (conversationId) this.stay.keep({ conversationId });
    for (const turn of turns) this.#spoken(turn);
    this.#strip.show(call.view);
    const { words } = this;
    rename(this.#talkButton, phase === "idle" ? "talk" : "stop", phase === "idle" ? words.talk : words.hangUp);
    if (phase !== "idle") return;
    this.#call = null;
    if (fault) this.#say(fault.code === "server" ? fault.detail || words.failed : words[fault.code], "failed");
    this.stay.keep({ items: this.#items });
  }

  #spoken(turn: Turn): void {
    if (turn.question) this.#put({ id: `${turn.id}q`, isMine: true, text: turn.question, citations: [], state: "done" });
    const { answer, citations, state } = turn;
    const text = answer || (state === "failed" ? this.words.failed : "");
    if (text) this.#put({ id: turn.id, isMine: false, text, citations, state });
  }

  #say(text: string, state: Item["state"] = "done"): void {
    this.#put({ id: `said ${text}`, isMine: false, text, citations: [], state });
  }

  #put(item: Item): void {
    const at = this.#items.findIndex(({ id }) => id === item.id);
    const before = this.#items[at];
    if (before && before.text === item.text && before.state === item.state && before.citations === item.citations) return;
    if (at < 0) this.#items.push(item);
    else this.#items[at] = item;
    this.#show();
  }

  #change(id: string, change: Partial<Item>): void {
    const item = this.#items.find((one) => one.id === id);
    if (item) this.#put({ ...item, ...change });
  }

  #show(): void {
    this.#log.show(this.#items);
  }

  #busy(): void {
    const isAsking = this.#asking !== null;
    rename(this.#sendButton, isAsking ? "stop" : "send", isAsking ? this.words.stop : this.words.send);
    this.#turnId = isAsking ? "" : this.#turnId;
  }
}
