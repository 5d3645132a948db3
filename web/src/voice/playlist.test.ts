import { expect, test } from "vitest";
import { Playlist } from "./playlist";

const RATE_HZ = 48_000;
const RAMP = 384;

function filled(playlist: Playlist, samples: number): Float32Array {
  const out = new Float32Array(samples);
  for (let at = 0; at < samples; at += 128) playlist.fill(out.subarray(at, at + 128));
  return out;
}

const ones = (length: number) => new Float32Array(length).fill(1);

test("pieces follow each other without a gap", () => {
  const playlist = new Playlist(RATE_HZ);
  playlist.add("a", ones(100));
  playlist.add("a", ones(156));
  expect(filled(playlist, 256)).toEqual(ones(256));
  expect(playlist.played).toEqual({ turnId: "a", playedMs: (256 / RATE_HZ) * 1000, isDry: true });
});

test("a pause is silent within 8 ms, keeps the rest and counts only what was played", () => {
  const playlist = new Playlist(RATE_HZ);
  playlist.add("a", ones(4_800));
  filled(playlist, 1_280);
  playlist.pause();
  expect(filled(playlist, 4_096).subarray(RAMP)).toEqual(new Float32Array(4_096 - RAMP));
  const held = playlist.played.playedMs;
  expect(held).toBeLessThanOrEqual(((1_280 + RAMP) / RATE_HZ) * 1000);
  filled(playlist, 12_800);
  expect(playlist.played.playedMs).toBe(held);
  playlist.resume();
  filled(playlist, 8_192);
  expect(playlist.played).toMatchObject({ playedMs: 100, isDry: true });
});

test("what is cut fades without a click and never comes back", () => {
  const playlist = new Playlist(RATE_HZ);
  playlist.add("a", ones(48_000));
  filled(playlist, 128);
  playlist.cut("a");
  const after = filled(playlist, 1_024);
  expect(after[0]).toBeCloseTo(1, 1);
  for (let index = 1; index < after.length; index++) expect(Math.abs(after[index]! - after[index - 1]!)).toBeLessThan(0.01);
  expect(after.subarray(RAMP)).toEqual(new Float32Array(1_024 - RAMP));
});

test("to cut one turn leaves another one alone", () => {
  const playlist = new Playlist(RATE_HZ);
  playlist.add("b", ones(256));
  playlist.cut("a");
  expect(filled(playlist, 256)).toEqual(ones(256));
});

test("a new turn takes the place of the one before, aloud though that was held", () => {
  const playlist = new Playlist(RATE_HZ);
  playlist.add("a", ones(4_800));
  playlist.pause();
  filled(playlist, 1_024);
  playlist.add("b", ones(1_024));
  expect(filled(playlist, 1_024).at(-1)).toBe(1);
  expect(playlist.played).toMatchObject({ turnId: "b", isDry: true });
});

test("an answer that is ducked goes on quietly", () => {
  const playlist = new Playlist(RATE_HZ);
  playlist.add("a", ones(4_800));
  playlist.duck(0.3);
  expect(filled(playlist, 1_024).at(-1)).toBeCloseTo(0.3);
});
