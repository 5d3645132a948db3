import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { events } from "../../../api/events";
import { soon } from "../../../api/soon";

const READ_AGAIN_MS = 400;

/** Reads lists of entries again when the workers have made one findable, or could not. */
export function useLiveEntries(): void {
  const client = useQueryClient();
  useEffect(() => {
    const stop = new AbortController();
    const reading = soon(() => void client.invalidateQueries({ queryKey: ["entries"] }), READ_AGAIN_MS);
    const follow = async () => {
      for await (const event of events(new Request("/api/events?types=document.*"), { signal: stop.signal })) {
        if (/processed|failed|deleted/.test(event.name)) reading.call();
      }
    };
    void follow().catch(() => undefined);
    return () => (stop.abort(), reading.end());
  }, [client]);
}
