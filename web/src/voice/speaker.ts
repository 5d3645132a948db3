import { samplesOf } from "./framing";
import type { Played } from "./playlist";
import { Resampler } from "./resample";
import type { Order } from "./sound.worklet";

export type Heard = Played & { level: number };

/** Plays answers, and tells about 20 times a second how far it is. */
export class Speaker {
  readonly #node: AudioWorkletNode;
  #turnId = "";
  #resampler: Resampler | null = null;
  #rateHz = 0;

  constructor(
    private readonly context: AudioContext,
    onHeard: (heard: Heard) => void,
  ) {
    this.#node = new AudioWorkletNode(context, "aura-player", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.connect(context.destination);
    this.#node.port.onmessage = ({ data }: MessageEvent<Heard>) => {
      // What was given to the device is heard a little later.
      const lagMs = (context.outputLatency || context.baseLatency || 0) * 1000;
      onHeard({ ...data, playedMs: Math.max(0, data.playedMs - lagMs) });
    };
  }

  /** What is played, for whoever wants to record or measure it. */
  get output(): AudioNode {
    return this.#node;
  }

  /** Adds PCM16 of a turn. */
  add(turnId: string, pcm: ArrayBuffer, rateHz: number): void {
    if (turnId !== this.#turnId || rateHz !== this.#rateHz) this.#resampler = new Resampler(rateHz, this.context.sampleRate);
    [this.#turnId, this.#rateHz] = [turnId, rateHz];
    const samples = this.#resampler!.push(samplesOf(pcm));
    this.order({ type: "add", turnId, samples });
  }

  order(order: Order): void {
    this.#node.port.postMessage(order);
  }

  /** Plays through this device, where the browser lets a page choose. */
  async choose(deviceId: string): Promise<void> {
    const context = this.context as AudioContext & { setSinkId?: (id: string) => Promise<void> };
    await context.setSinkId?.(deviceId).catch(() => undefined);
  }

  close(): void {
    this.#node.port.onmessage = null;
    this.#node.port.close();
    this.#node.disconnect();
  }
}

export const canChooseOutput = () => typeof AudioContext !== "undefined" && "setSinkId" in AudioContext.prototype;
