import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { events } from "../../../api/events";

const READ_AGAIN_MS = 400;

/** Reads lists of entries again when the workers have made one findable, or could not. */
export function useLiveEntries(): void {
  const client = useQueryClient();
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const follow = async () => {
      for await (const event of events(new Request("/api/events?types=document.*"), { signal: stop.signal })) {
        if (!/processed|failed|deleted/.test(event.name)) continue;
        timer ??= setTimeout(() => {
          timer = undefined;
          void client.invalidateQueries({ queryKey: ["entries"] });
        }, READ_AGAIN_MS);
      }
    };
    void follow().catch(() => undefined);
    return () => (clearTimeout(timer), stop.abort());
  }, [client]);
}
