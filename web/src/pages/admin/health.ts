/** Returns what does not work, by the names that people know: `worker:embed` is embed. */
export function problemsOf(parts: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(parts)
    .filter(([, works]) => !works)
    .map(([part]) => part.replace(/^worker:/, ""));
}

/** Returns how long a queue's messages are in words of a bar: 0 to 100, where a hundred waiting messages fill it. */
export function fullness(waiting: number): number {
  return Math.min(Math.round(Math.log10(waiting + 1) * 50), 100);
}
