import { expect, test } from "vitest";
import { type Frame, Framer, FRAME_SAMPLES, samplesOf } from "./framing";
import { Resampler } from "./resample";

const tone = (hz: number, rateHz: number, seconds: number) =>
  Float32Array.from({ length: rateHz * seconds }, (_, index) => 0.5 * Math.sin((2 * Math.PI * hz * index) / rateHz));

const rms = (samples: ArrayLike<number>) => Math.sqrt(Array.from(samples).reduce((sum, one) => sum + one * one, 0) / samples.length);

function resampled(samples: Float32Array, from: number, to: number, pieceSamples: number): Float32Array {
  const resampler = new Resampler(from, to);
  const made: number[] = [];
  for (let at = 0; at < samples.length; at += pieceSamples) made.push(...resampler.push(samples.subarray(at, at + pieceSamples)));
  return Float32Array.from(made);
}

test.each([
  [48_000, 16_000],
  [44_100, 16_000],
  [24_000, 48_000],
  [22_050, 44_100],
])("a tone stays as it is from %i to %i Hz", (from, to) => {
  const made = resampled(tone(440, from, 1), from, to, 128);
  const wanted = tone(440, to, 1);
  expect(Math.abs(made.length - wanted.length)).toBeLessThan(60);
  const difference = made.subarray(200, -200).map((sample, index) => sample - wanted[index + 200]!);
  expect(rms(difference)).toBeLessThan(0.001);
});

test("what is above the new band is gone, not folded into it", () => {
  expect(rms(resampled(tone(11_000, 48_000, 1), 48_000, 16_000, 128).subarray(200))).toBeLessThan(0.001);
});

test("pieces of any length make the same sound", () => {
  const whole = resampled(tone(700, 44_100, 0.3), 44_100, 16_000, 100_000);
  const pieces = resampled(tone(700, 44_100, 0.3), 44_100, 16_000, 37);
  expect(Math.abs(pieces.length - whole.length)).toBeLessThanOrEqual(1);
  expect(rms(pieces.map((sample, index) => sample - (whole[index] ?? sample)))).toBeLessThan(1e-6);
});

test("sound is cut into frames of 20 ms, each with its loudness", () => {
  const frames: Frame[] = [];
  const framer = new Framer(48_000, (frame) => frames.push(frame));
  const sound = tone(440, 48_000, 1);
  for (let at = 0; at < sound.length; at += 128) framer.push(sound.subarray(at, at + 128));
  expect(frames.length).toBe(49);
  expect(frames.every(({ pcm }) => pcm.length === FRAME_SAMPLES)).toBe(true);
  expect(frames[20]!.level).toBeCloseTo(0.5 / Math.SQRT2, 2);
});

test("too loud a sound is held at full scale", () => {
  const frames: Frame[] = [];
  new Framer(16_000, (frame) => frames.push(frame)).push(new Float32Array(FRAME_SAMPLES).fill(3));
  expect(new Set(frames[0]!.pcm)).toEqual(new Set([32_767]));
});

test("PCM16 is read as it was sent", () => {
  expect([...samplesOf(new Uint8Array([0x00, 0x80, 0xff, 0x7f, 0x00, 0x00]).buffer)]).toEqual([-1, 32_767 / 32_768, 0]);
});
