import { afterEach, expect, test, vi } from "vitest";
import { soon } from "./soon";

afterEach(() => void vi.useRealTimers());

test("what is asked for many times is done once, a moment later", () => {
  vi.useFakeTimers();
  const act = vi.fn();
  const later = soon(act, 400);
  later.call();
  later.call();
  expect(act).not.toHaveBeenCalled();
  vi.advanceTimersByTime(400);
  expect(act).toHaveBeenCalledOnce();
  later.call();
  vi.advanceTimersByTime(400);
  expect(act).toHaveBeenCalledTimes(2);
});

test("who leaves before it was done has it done then, and nothing where nothing was asked for", () => {
  vi.useFakeTimers();
  const act = vi.fn();
  const later = soon(act, 400);
  later.end();
  expect(act).not.toHaveBeenCalled();
  later.call();
  later.end();
  vi.advanceTimersByTime(1_000);
  expect(act).toHaveBeenCalledOnce();
});
