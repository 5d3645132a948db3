import type { CallView, VoiceCall } from "../src/voice/call";
import { button, make, rename } from "./elements";
import type { Words } from "./words";

/** What is shown of a call: how loud whoever speaks is, what is happening in words, and a microphone that can be turned off. */
export class Strip {
  readonly element = make("div", "call");
  readonly #said = make("span", "");
  readonly #mute: HTMLButtonElement;
  #call: VoiceCall | null = null;

  constructor(private readonly words: Words) {
    const bars = make("i", "");
    bars.append(make("b", ""), make("b", ""), make("b", ""));
    this.#said.setAttribute("role", "status");
    this.#mute = button("talk", words.mute, "round quiet", () => this.#call?.mute(!this.#call.view.isMuted));
    this.element.append(bars, this.#said, this.#mute);
    this.element.hidden = true;
  }

  /** Shows a call from now on, for as long as it lasts. */
  follow(call: VoiceCall): void {
    this.#call = call;
    this.#draw(call);
  }

  /** Shows where the call stands. */
  show({ phase, partial, isMuted, recordedDays }: CallView): void {
    const { words } = this;
    this.element.hidden = phase === "idle";
    if (phase === "idle") return void (this.#call = null);
    const recorded = recordedDays ? words.recorded.replace("{days}", String(recordedDays)) : "";
    const said = partial.text || (isMuted ? words.muted : recorded || words[phase]);
    // Said anew only where it is new: it is read out.
    if (this.#said.textContent !== said) this.#said.textContent = said;
    rename(this.#mute, isMuted ? "muted" : "talk", isMuted ? words.unmute : words.mute);
  }

  #draw(call: VoiceCall): void {
    if (this.#call !== call) return;
    const { input, output } = call.levels;
    this.element.style.setProperty("--level", (call.view.phase === "speaking" ? output : input).toFixed(2));
    requestAnimationFrame(() => this.#draw(call));
  }
}
