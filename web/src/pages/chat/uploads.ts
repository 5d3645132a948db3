import type { Schemas } from "../../api/client";
import { type AuraEvent, jobEvents } from "../../api/events";
import { asProblem, Problem, problemOf } from "../../api/problem";
import { renewed, token } from "../../api/session";

/** A file that was dropped into a conversation, on its way to be searchable. */
export interface Attached {
  key: string;
  name: string;
  state: "sending" | "reading" | "ready" | "failed";
  /** How much of it was sent, then how much of this step is done: 0 to 1; null where nobody knows. */
  share: number | null;
  /** The document it became; null for an archive of many. */
  documentId: string | null;
  problem: Problem | null;
}

export type Accepted = Schemas["UploadAccepted"] | Schemas["BatchAccepted"];

/** Returns the file after an event of its document or batch. */
export function grown(before: Attached, { name, data }: AuraEvent): Attached {
  switch (name) {
    case "document.processed":
    case "batch.completed":
      return { ...before, state: "ready", share: 1 };
    case "document.failed":
    case "document.deleted":
    case "batch.cancelled":
      return { ...before, state: "failed", problem: new Problem(String(data.code ?? "failed"), String(data.detail ?? "")) };
    case "document.extracted":
    case "document.chunked":
    case "document.embedded": {
      const [done, total] = [Number(data.done), Number(data.total)];
      return { ...before, state: "reading", share: total > 0 ? done / total : null };
    }
    default:
      return before;
  }
}

/** Sends a file to the knowledge of an assistant and follows it until it is searchable; tells of each step. */
export async function attach(file: File, assistantKey: string, key: string, signal: AbortSignal, tell: (now: Attached) => void): Promise<void> {
  let now: Attached = { key, name: file.name, state: "sending", share: 0, documentId: null, problem: null };
  const become = (next: Attached) => tell((now = next));
  become(now);
  try {
    const accepted = await sent(file, assistantKey, signal, (share) => become({ ...now, share }));
    const documentId = "document" in accepted ? accepted.job_id : null;
    become({ ...now, state: "reading", share: null, documentId });
    for await (const event of jobEvents(String(accepted.job_id), { signal })) become(grown(now, event));
  } catch (thrown) {
    if (!signal.aborted) become({ ...now, state: "failed", problem: asProblem(thrown) });
  }
}

async function sent(file: File, assistantKey: string, signal: AbortSignal, progress: (share: number) => void): Promise<Accepted> {
  const shown = await token();
  try {
    return await post(file, assistantKey, shown, signal, progress);
  } catch (thrown) {
    if (!shown || asProblem(thrown).status !== 401) throw thrown;
    return post(file, assistantKey, await renewed(shown), signal, progress);
  }
}

/** Posts by XMLHttpRequest: `fetch` does not tell how much of a body is sent. */
function post(file: File, assistantKey: string, shown: string, signal: AbortSignal, progress: (share: number) => void): Promise<Accepted> {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("assistant_key", assistantKey);
    form.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", "/api/documents/upload");
    if (shown) request.setRequestHeader("Authorization", `Bearer ${shown}`);
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status < 300) return resolve(JSON.parse(request.responseText) as Accepted);
      const headers = { "Retry-After": request.getResponseHeader("Retry-After") ?? "" };
      void problemOf(new Response(request.responseText, { status: request.status, headers })).then(reject);
    };
    request.onerror = () => reject(new Problem("offline", "The server cannot be reached."));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}
