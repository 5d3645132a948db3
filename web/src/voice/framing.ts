import { Resampler } from "./resample";

export const RATE_HZ = 16_000;
export const FRAME_MS = 20;
export const FRAME_SAMPLES = (RATE_HZ * FRAME_MS) / 1000;

/** A frame as the socket takes it, and how loud it is: root mean square, 1 is full scale. */
export interface Frame {
  pcm: Int16Array<ArrayBuffer>;
  level: number;
}

/** Cuts the sound of a microphone, at any rate and in any pieces, into frames of 20 ms of PCM16 at 16 kHz. */
export class Framer {
  readonly #resampler: Resampler;
  #frame = new Int16Array(FRAME_SAMPLES);
  #filled = 0;
  #power = 0;

  constructor(
    rateHz: number,
    private readonly onFrame: (frame: Frame) => void,
  ) {
    this.#resampler = new Resampler(rateHz, RATE_HZ);
  }

  push(samples: Float32Array): void {
    for (const sample of this.#resampler.push(samples)) {
      const held = Math.max(-1, Math.min(1, sample));
      this.#frame[this.#filled++] = Math.round(held * 32_767);
      this.#power += held * held;
      if (this.#filled === FRAME_SAMPLES) this.#hand();
    }
  }

  #hand(): void {
    this.onFrame({ pcm: this.#frame, level: Math.sqrt(this.#power / FRAME_SAMPLES) });
    this.#frame = new Int16Array(FRAME_SAMPLES);
    this.#filled = this.#power = 0;
  }
}

/** Returns PCM16, little-endian as it came from the socket, as samples from -1 to 1. */
export function samplesOf(pcm: ArrayBuffer): Float32Array<ArrayBuffer> {
  const view = new DataView(pcm);
  return Float32Array.from({ length: pcm.byteLength >> 1 }, (_, index) => view.getInt16(index * 2, true) / 32_768);
}
