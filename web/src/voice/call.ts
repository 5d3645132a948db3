import { Fault, requireSound } from "./faults";
import type { Frame } from "./framing";
import { Line, type LineOptions, type LineState } from "./line";
import type { ServerMessage, ServerState } from "./messages";
import { Microphone } from "./microphone";
import { type Heard, Speaker } from "./speaker";
import { empty, told, type Transcript } from "./transcript";

/** `idle`: no conversation; `mending`: the network was lost and is looked for. */
export type Phase = "idle" | "opening" | "mending" | ServerState;

/** What a page shows of a conversation; a new object at each change. */
export interface CallView extends Transcript {
  phase: Phase;
  fault: Fault | null;
  /** A passing remark of the server, such as that nothing was heard. */
  remark: { code: string; detail: string } | null;
  isMuted: boolean;
  isPushToTalk: boolean;
  /** The key to talk is held down. */
  isTalking: boolean;
  /** For how many days what is said is kept; 0 where it is not. */
  recordedDays: number;
  conversationId: string;
  /** The microphone that is used. */
  inputId: string;
}

export interface CallOptions {
  ticket: LineOptions["ticket"];
  /** Where `sound.worklet.ts` is, built. */
  workletUrl: string;
  assistantKey?: string;
  /** A conversation to go on with. */
  conversationId?: string;
  language?: string;
  inputId?: string;
  outputId?: string;
}

const TELL_EVERY_MS = 200;
const still = { input: 0, output: 0 };

/** A spoken conversation: microphone, socket and loudspeaker. `subscribe` and `view` are as React's stores have them. */
export class VoiceCall {
  /** How loud both sides are now, from 0 to 1; read it for each picture that is drawn. */
  readonly levels = { ...still };
  view: CallView;
  readonly #listeners = new Set<() => void>();
  readonly #line: Line;
  #context: AudioContext | null = null;
  #microphone: Microphone | null = null;
  #speaker: Speaker | null = null;
  #state: ServerState = "listening";
  #saidAt = 0;

  constructor(private readonly options: CallOptions) {
    const about = { fault: null, remark: null, isMuted: false, isPushToTalk: false, isTalking: false, recordedDays: 0 };
    this.view = { ...empty, ...about, phase: "idle", conversationId: "", inputId: options.inputId ?? "" };
    this.#line = new Line({
      ticket: options.ticket,
      conversationId: options.conversationId,
      start: () => this.#start(),
      onMessage: (message, sound) => this.#heard(message, sound),
      onState: (state, fault) => this.#lineIs(state, fault),
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly look = (): CallView => this.view;

  /** The graph that plays, for whoever records or measures it; null while there is no conversation. */
  get output(): AudioNode | null {
    return this.#speaker?.output ?? null;
  }

  /** Begins, or goes on with the conversation that was. Call it from a click: browsers let no page sound before. */
  async begin(): Promise<void> {
    if (this.view.phase !== "idle") return;
    this.#show({ phase: "opening", fault: null, remark: null });
    try {
      requireSound();
      const context = (this.#context = new AudioContext({ latencyHint: "interactive" }));
      await Promise.all([context.resume(), context.audioWorklet.addModule(this.options.workletUrl)]);
      if (this.#context !== context) return;
      this.#speaker = new Speaker(context, (heard) => this.#played(heard));
      const microphone = new Microphone(context, (frame) => this.#captured(frame), () => void this.useInput(""));
      await Promise.all([microphone.open(this.view.inputId), this.options.outputId && this.#speaker.choose(this.options.outputId)]);
      // Somebody may have hung up while the browser asked for the microphone.
      if (this.#context !== context) return microphone.close();
      this.#microphone = microphone;
      microphone.mute(this.view.isMuted);
      this.#show({ inputId: microphone.deviceId });
      this.#line.open();
    } catch (thrown) {
      this.#hangUp(thrown instanceof Fault ? thrown : new Fault("unsupported", String(thrown)));
    }
  }

  /** Ends the conversation. */
  end(): void {
    this.#line.close();
  }

  /** Asks by text; the answer is spoken. */
  ask(text: string): void {
    this.#show({ typed: text });
    this.#line.send({ type: "text", text });
  }

  /** Stops the answer that is being made or heard. */
  interrupt(): void {
    this.#speaker?.order({ type: "pause" });
    this.#line.send({ type: "cancel" });
  }

  mute(isMuted: boolean): void {
    this.#microphone?.mute(isMuted);
    if (isMuted) this.levels.input = 0;
    this.#show({ isMuted });
  }

  /** Chooses whether silence ends what is said, or letting go of a key. */
  pushToTalk(isPushToTalk: boolean): void {
    this.#show({ isPushToTalk, isTalking: false });
    this.#line.restart();
  }

  /** Where talking goes by a key: it is held down, or let go. */
  talk(isTalking: boolean): void {
    if (!this.view.isPushToTalk || isTalking === this.view.isTalking) return;
    this.#show({ isTalking, remark: null });
    if (!isTalking) this.#line.send({ type: "commit" });
    else if (this.#state === "speaking") this.interrupt();
  }

  /** Hears through this device; "" is the machine's own choice. */
  async useInput(deviceId: string): Promise<void> {
    this.#show({ inputId: deviceId });
    try {
      await this.#microphone?.open(deviceId);
      if (this.#microphone) this.#show({ inputId: this.#microphone.deviceId });
    } catch (thrown) {
      this.#line.close();
      this.#hangUp(thrown instanceof Fault ? thrown : new Fault("unsupported", String(thrown)));
    }
  }

  async useOutput(deviceId: string): Promise<void> {
    this.options.outputId = deviceId;
    await this.#speaker?.choose(deviceId);
  }

  #start() {
    const { assistantKey, language } = this.options;
    return {
      ...(assistantKey && { assistant_key: assistantKey }),
      ...(language && { language }),
      endpointing: { mode: this.view.isPushToTalk ? ("push_to_talk" as const) : ("server_vad" as const) },
    };
  }

  #captured({ pcm, level }: Frame): void {
    const isOpen = !this.view.isMuted && (!this.view.isPushToTalk || this.view.isTalking);
    this.levels.input = isOpen ? loudness(level) : 0;
    if (isOpen) this.#line.send(pcm);
  }

  #played(heard: Heard): void {
    this.levels.output = heard.isDry ? 0 : loudness(heard.level);
    const now = performance.now();
    if (!heard.turnId || (!heard.isDry && now - this.#saidAt < TELL_EVERY_MS)) return;
    this.#saidAt = now;
    this.#line.send({ type: "playback", turn_id: heard.turnId, played_ms: Math.round(heard.playedMs) });
  }

  #heard(message: ServerMessage, sound?: ArrayBuffer): void {
    const { type, turn_id: turnId = "" } = message;
    if (type === "turn.audio" && sound?.byteLength) this.#speaker?.add(turnId, sound, message.sample_rate_hz ?? 0);
    else if (type === "playback.duck") this.#speaker?.order({ type: "duck", gain: message.gain ?? 1 });
    else if (type === "playback.pause") this.#speaker?.order({ type: "pause" });
    else if (type === "playback.resume") this.#speaker?.order({ type: "resume" });
    else if (type === "turn.cancelled") this.#speaker?.order({ type: "cut", turnId });
    else if (type === "ready" || type === "state") this.#stateIs(message);
    else if (type === "error") this.#show({ remark: { code: message.code ?? "", detail: message.detail ?? "" } });
    else if (type === "recording.started") this.#show({ recordedDays: Number((message as { days?: number }).days ?? 0) });
    const transcript = told(this.view, message);
    if (transcript !== this.view) this.#show(transcript);
  }

  #stateIs(message: ServerMessage): void {
    this.#state = message.state ?? this.#state;
    // Coming back ends what held an answer.
    if (message.type === "ready") this.#speaker?.order({ type: "resume" });
    this.#show({ phase: this.#state, conversationId: this.#line.conversationId, ...(this.#state === "hearing" && { remark: null }) });
  }

  #lineIs(state: LineState, fault?: Fault): void {
    if (state === "closed") this.#hangUp(fault ?? null);
    else if (state !== "open") this.#show({ phase: state });
  }

  #hangUp(fault: Fault | null): void {
    const context = this.#context;
    this.#context = null;
    this.#microphone?.close();
    this.#speaker?.close();
    this.#microphone = this.#speaker = null;
    void context?.close().catch(() => undefined);
    Object.assign(this.levels, still);
    this.#show({ phase: "idle", fault, isTalking: false, partial: empty.partial });
  }

  #show(change: Partial<CallView>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** Returns how loud a root mean square seems, from 0 (below -54 dB) to 1 (-6 dB). */
function loudness(level: number): number {
  return Math.max(0, Math.min(1, (20 * Math.log10(level + 1e-6) + 54) / 48));
}
