import { expect, test } from "vitest";
import { waits } from "./waits";

test("what a document waits for is said in words that have nothing of queues", () => {
  expect(waits("its turn: 12 of your documents are before it")).toEqual(["knowledge.waitsBehind", { count: 12 }]);
  expect(waits("a free worker for `extract`")).toEqual(["knowledge.waitsTurn"]);
  expect(waits("its turn among your other documents")).toEqual(["knowledge.waitsTurn"]);
  expect(waits("being resumed: it is paused")).toEqual(["knowledge.waitsPaused"]);
  const why = "The provider did not answer.";
  expect(waits(`${why} It is tried again at 10:00:05 UTC.`)).toEqual(["knowledge.waitsAgain", { why, time: "10:00:05" }]);
  expect(waits("a worker: none is running for `embed`")).toEqual(["knowledge.waitsNobody", { queue: "embed" }]);
});

test("what has no words of ours is told in those of the API", () => {
  expect(waits("something new")).toEqual(["knowledge.waitsFor", { what: "something new" }]);
});
