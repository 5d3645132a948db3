import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../../../api/problem";
import { patiently } from "./patience";

const offline = new Problem("offline", "");
const line = new EventTarget();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", line);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("what a broken line hinders is done once the line is back, and said meanwhile", async () => {
  const act = vi.fn().mockRejectedValueOnce(offline).mockRejectedValueOnce(new Problem("too_busy", "", 503, "", 4)).mockResolvedValue("done");
  const said: unknown[] = [];
  const done = patiently(act, new AbortController().signal, (by) => said.push(by));
  await vi.advanceTimersByTimeAsync(0);
  line.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(3_900);
  expect(act).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(200);
  expect(await done).toBe("done");
  expect(said.map((by) => (by as Problem | null)?.code)).toEqual(["offline", "too_busy", undefined]);
});

test("what will not pass is not tried again", async () => {
  for (const problem of [new Problem("unsupported_type", "", 415), new Problem("quota_exceeded", "", 429, "", 60), new Error("broken")]) {
    const act = vi.fn().mockRejectedValue(problem);
    await expect(patiently(act, new AbortController().signal)).rejects.toBe(problem);
    expect(act).toHaveBeenCalledTimes(1);
  }
});

test("whoever stops it does not wait for it", async () => {
  const stop = new AbortController();
  const done = patiently(() => Promise.reject(offline), stop.signal);
  const ended = expect(done).rejects.toMatchObject({ name: "AbortError" });
  await vi.advanceTimersByTimeAsync(0);
  stop.abort();
  await ended;
  expect(vi.getTimerCount()).toBe(0);
});
