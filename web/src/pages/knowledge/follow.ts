import { api, ok } from "../../api/client";
import { type AuraEvent, jobEvents } from "../../api/events";
import { patiently } from "./uploads/patience";

/**
 * Follows a document or a batch until it has ended by what the API says of it, and not by an event alone.
 *
 * One that is tried again, or made anew, has the end of the time before among its events: it is followed on from there.
 */
export async function* workEvents(id: string, signal: AbortSignal): AsyncGenerator<AuraEvent> {
  let after = "";
  for (let isNew = true; isNew; ) {
    isNew = false;
    for await (const event of jobEvents(id, { signal, after })) {
      isNew ||= event.id !== "";
      after = event.id || after;
      yield event;
    }
    if (signal.aborted) return;
    const { finished } = await patiently(() => ok(api.GET("/api/jobs/{id}", { params: { path: { id } } })), signal);
    if (finished) return;
  }
}
