export interface Soon {
  /** Has it done a moment later, once for all calls until then. */
  call: () => void;
  /** Ends the wait: what is still due is done now, and not lost with the page that asked for it. */
  end: () => void;
}

/** Returns what does something once for many reasons that come together, `afterMs` after the first. */
export function soon(act: () => void, afterMs: number): Soon {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    clearTimeout(timer);
    timer = undefined;
    act();
  };
  return { call: () => void (timer ??= setTimeout(run, afterMs)), end: () => timer !== undefined && run() };
}
