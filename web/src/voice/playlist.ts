/** How long the volume takes to change: a step is heard as a click. */
const RAMP_MS = 8;

/** Where playing stands. */
export interface Played {
  turnId: string;
  /** Of the sound of this turn. */
  playedMs: number;
  /** Nothing is left of what has come. */
  isDry: boolean;
}

/** The sound of one answer, played without gaps, and stopped or made quiet at once without a click. */
export class Playlist {
  readonly #ramp: number;
  readonly #pieces: Float32Array[] = [];
  #at = 0;
  #turnId = "";
  #playedSamples = 0;
  #gain = 1;
  #wanted = 1;
  #isHeld = false;
  /** What fades after a cut. */
  #tail: Float32Array = new Float32Array();

  constructor(private readonly rateHz: number) {
    this.#ramp = Math.max(1, Math.round((rateHz * RAMP_MS) / 1000));
  }

  get played(): Played {
    return { turnId: this.#turnId, playedMs: (this.#playedSamples / this.rateHz) * 1000, isDry: this.#pieces.length === 0 };
  }

  /** Adds sound of a turn; that of another one is over with it, and so is being quiet. */
  add(turnId: string, samples: Float32Array): void {
    if (turnId !== this.#turnId) {
      this.#drop();
      this.#turnId = turnId;
      this.#playedSamples = 0;
      this.resume();
    }
    if (samples.length > 0) this.#pieces.push(samples);
  }

  duck(gain: number): void {
    this.#wanted = gain;
  }

  /** Falls silent and keeps the rest. */
  pause(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
    this.#wanted = 1;
  }

  /** Falls silent and forgets the rest of this turn; "" means any. */
  cut(turnId = ""): void {
    if (!turnId || turnId === this.#turnId) this.#drop();
  }

  /** Writes the next samples; silence where there are none. */
  fill(out: Float32Array): void {
    const target = this.#isHeld ? 0 : this.#wanted;
    for (let index = 0; index < out.length; index++) {
      const step = Math.max(-1 / this.#ramp, Math.min(1 / this.#ramp, target - this.#gain));
      this.#gain += step;
      out[index] = this.#isHeld && this.#gain <= 0 ? 0 : this.#next() * this.#gain;
    }
    for (let index = 0; index < Math.min(out.length, this.#tail.length); index++) out[index]! += this.#tail[index]!;
    this.#tail = this.#tail.subarray(Math.min(out.length, this.#tail.length));
  }

  #next(): number {
    const piece = this.#pieces[0];
    if (!piece) return 0;
    const sample = piece[this.#at++]!;
    this.#playedSamples++;
    if (this.#at === piece.length) {
      this.#pieces.shift();
      this.#at = 0;
    }
    return sample;
  }

  #drop(): void {
    const rest = this.#pieces[0]?.subarray(this.#at, this.#at + this.#ramp) ?? new Float32Array();
    this.#tail = rest.map((sample, index) => sample * this.#gain * (1 - index / this.#ramp));
    this.#pieces.length = this.#at = 0;
    this.resume();
  }
}
