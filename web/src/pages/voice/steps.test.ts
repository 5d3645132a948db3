import { expect, test } from "vitest";
import { waterfall } from "./steps";

test("a turn's steps are in their order, from the end of speech to the last that ends", () => {
  const found = waterfall({
    speech_end_ms: -640,
    endpoint_ms: 640,
    retrieve: { start_ms: 30, queued_ms: 5, run_ms: 12 },
    transcribe: { start_ms: -430, queued_ms: 10, run_ms: 400 },
    synthesize_0: { start_ms: 90, queued_ms: 2, run_ms: 60, provider: "local" },
    first_audio_ms: 140,
    first_audio_heard_ms: 190,
    speculated: true,
  })!;
  expect(found.steps.map(({ name }) => name)).toEqual(["endpoint", "transcribe", "retrieve", "synthesize_0"]);
  expect(found).toMatchObject({ fromMs: -640, toMs: 190, firstSoundMs: 190 });
});

test("a turn without steps has no chart", () => {
  expect(waterfall({ first_token_ms: 3 })).toBeNull();
});
