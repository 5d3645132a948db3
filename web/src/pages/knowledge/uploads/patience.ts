import { asProblem } from "../../../api/problem";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** Whether what was thrown passes by itself: a line that broke, or a server that has no time now. */
export function isPassing(thrown: unknown): boolean {
  const { code, status } = asProblem(thrown);
  if (code === "offline" || code === "still_running") return true;
  if (status === 429) return !/quota|budget/.test(code);
  return status === 502 || status === 503 || status === 504;
}

/**
 * Does something again until it is done, sooner where the browser says that its line is back.
 *
 * `onHindered` is told of each try that failed, and of none (`null`) once one has not. Throws what does not pass, and
 * AbortError once `signal` ends it.
 */
export async function patiently<T>(act: () => Promise<T>, signal: AbortSignal, onHindered: (by: unknown) => void = () => undefined): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      const done = await act();
      onHindered(null);
      return done;
    } catch (thrown) {
      if (signal.aborted || !isPassing(thrown)) throw thrown;
      onHindered(thrown);
      await rested(Math.max(waitMs, asProblem(thrown).retryAfterS * 1000), signal);
    }
  }
}

function rested(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const woken = new AbortController();
    const end = (how: () => void) => () => {
      clearTimeout(timer);
      woken.abort();
      how();
    };
    const timer = setTimeout(end(resolve), ms);
    const stop = end(() => reject(new DOMException("The upload was stopped.", "AbortError")));
    if (signal.aborted) return stop();
    window.addEventListener("online", end(resolve), { signal: woken.signal });
    signal.addEventListener("abort", stop, { signal: woken.signal });
  });
}
