import { useSyncExternalStore } from "react";
import { Drop } from "./drop";
import type { Found } from "./walk";

const listeners = new Set<() => void>();
let drops: readonly Drop[] = [];
let told = 0;
let isDue = false;

/** Uploads go on while somebody looks at other pages, so they live outside of all of them. */
export function useDrops(): readonly Drop[] {
  useSyncExternalStore(subscribe, () => told);
  return drops;
}

/** Begins to upload files; `name` is what their batch is called. */
export function upload(found: readonly Found[], name: string): void {
  if (found.length === 0) return;
  const drop = new Drop(crypto.randomUUID?.() ?? String(Math.random()), name, found, tell);
  drops = [drop, ...drops];
  drop.start();
  tell();
}

/** Takes what has ended, or was cancelled, off the list. */
export function dismiss(drop: Drop): void {
  drop.end();
  drops = drops.filter((each) => each !== drop);
  tell();
}

/** Tells of changes once a frame at most, however many bytes leave in it. */
function tell(): void {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    told += 1;
    for (const listener of listeners) listener();
  }, 80);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

window.addEventListener("beforeunload", (event) => {
  if (drops.some((drop) => drop.isLeaving && !drop.isPaused)) event.preventDefault();
});
