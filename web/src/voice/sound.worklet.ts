/** Runs on the audio thread: cuts what the microphone hears into frames, and plays answers. */
import { Framer } from "./framing";
import { Playlist } from "./playlist";

/** What the speaker is told. */
export type Order =
  | { type: "add"; turnId: string; samples: Float32Array<ArrayBuffer> }
  | { type: "duck"; gain: number }
  | { type: "pause" }
  | { type: "resume" }
  | { type: "cut"; turnId: string };

// The names of this scope, which TypeScript's DOM library leaves out.
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const REPORT_EVERY_S = 0.05;

class Capture extends AudioWorkletProcessor {
  readonly #framer = new Framer(sampleRate, (frame) => this.port.postMessage(frame, [frame.pcm.buffer]));

  process([input]: Float32Array[][]): boolean {
    const channel = input?.[0];
    if (channel) this.#framer.push(channel);
    return true;
  }
}

class Player extends AudioWorkletProcessor {
  readonly #playlist = new Playlist(sampleRate);
  #untold = 0;
  #power = 0;
  #wasDry = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<Order>) => this.#obey(data);
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    const channel = output?.[0];
    if (!channel) return true;
    this.#playlist.fill(channel);
    for (const sample of channel) this.#power += sample * sample;
    this.#untold += channel.length;
    for (const other of output!.slice(1)) other.set(channel);
    if (this.#untold >= sampleRate * REPORT_EVERY_S) this.#report();
    return true;
  }

  #obey(order: Order): void {
    if (order.type === "add") this.#playlist.add(order.turnId, order.samples);
    else if (order.type === "duck") this.#playlist.duck(order.gain);
    else if (order.type === "cut") this.#playlist.cut(order.turnId);
    else this.#playlist[order.type]();
    if (order.type === "pause") this.#report();
  }

  #report(): void {
    const played = this.#playlist.played;
    // Silence after silence is no news.
    if (!played.isDry || !this.#wasDry) this.port.postMessage({ ...played, level: this.#untold ? Math.sqrt(this.#power / this.#untold) : 0 });
    this.#wasDry = played.isDry;
    this.#untold = this.#power = 0;
  }
}

registerProcessor("aura-capture", Capture);
registerProcessor("aura-player", Player);
