import { useCallback, useEffect, useRef, useState } from "react";
import { attach, type Attached } from "./uploads";

export interface Attaching {
  files: readonly Attached[];
  add: (files: readonly File[], assistantKey: string) => void;
  /** Takes a file out of the question; one that is still being sent is not sent to its end. */
  remove: (key: string) => void;
  clear: () => void;
}

/** Files that belong to the question that is being written. */
export function useAttached(): Attaching {
  const [files, setFiles] = useState<readonly Attached[]>([]);
  const lines = useRef(new Map<string, AbortController>());
  useEffect(() => {
    const all = lines.current;
    return () => all.forEach((each) => each.abort());
  }, []);
  const add = useCallback((added: readonly File[], assistantKey: string) => {
    for (const file of added) {
      const key = `${Date.now()} ${Math.random()}`;
      const control = new AbortController();
      lines.current.set(key, control);
      const tell = (now: Attached) =>
        setFiles((before) => (before.some((each) => each.key === key) ? before.map((each) => (each.key === key ? now : each)) : [...before, now]));
      void attach(file, assistantKey, key, control.signal, (now) => lines.current.has(key) && tell(now)).catch(() => undefined);
    }
  }, []);
  const remove = useCallback((key: string) => {
    lines.current.get(key)?.abort();
    lines.current.delete(key);
    setFiles((before) => before.filter((each) => each.key !== key));
  }, []);
  const clear = useCallback(() => {
    lines.current.forEach((each) => each.abort());
    lines.current.clear();
    setFiles([]);
  }, []);
  return { files, add, remove, clear };
}
