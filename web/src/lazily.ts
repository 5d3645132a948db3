import { type ComponentType, createElement, lazy, useState } from "react";

type Part = { default: ComponentType };

/** A component that is loaded when it is shown, or before that by `begin`, which never fails: showing it says so. */
export type LazyPart = ComponentType & { begin: () => Promise<void> };

const KEY = "aura.anew";
const NOT_AGAIN_WITHIN_MS = 30_000;

/** Returns a component that is loaded when it is shown; where the server has a newer version, with all of the page. */
export function lazily(load: () => Promise<Part>): LazyPart {
  let found: ComponentType | null = null;
  const Later = lazy(async () => {
    try {
      return await load();
    } catch (thrown) {
      // A tab that was open while the server got a new version asks for parts that are no more.
      if (!(await loadAnew())) throw thrown;
      return new Promise<Part>(() => undefined);
    }
  });
  // What is there already is shown at once: React keeps what it shows meanwhile for a third of a second.
  const Shown = () => createElement(useState(() => found ?? Later)[0]);
  const begin = () => load().then((part) => void (found = part.default)).catch(() => undefined);
  return Object.assign(Shown, { begin });
}

/** Loads the page again, at most once in a while and where the server can be reached; returns whether it does. */
async function loadAnew(): Promise<boolean> {
  const last = Number(sessionStorage.getItem(KEY));
  if (Date.now() - last < NOT_AGAIN_WITHIN_MS) return false;
  const { ok } = await fetch("/health").catch(() => ({ ok: false }));
  if (!ok) return false;
  sessionStorage.setItem(KEY, String(Date.now()));
  window.location.reload();
  return true;
}
