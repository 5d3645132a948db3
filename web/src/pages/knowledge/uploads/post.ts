import { Upload } from "tus-js-client";
import { asProblem, Problem, problemOf } from "../../../api/problem";
import { renewed, token } from "../../../api/session";
import type { Found } from "./walk";

export interface Sending {
  /** The open batch the files are added to; null for a file that comes alone. */
  batchId: string | null;
  signal: AbortSignal;
  /** Names these files sent this once: sent again under it, they are not taken in again. */
  key: string;
  /** What opens them. */
  password?: string;
  /** Told how many bytes have left so far. */
  onSent: (bytes: number) => void;
}

/** What the API makes of files: the job to follow, and the names of those whose bytes it had before. */
export interface Taken {
  jobId: string;
  known: ReadonlySet<string>;
}

/** Why a signal ends an upload that nobody will go on with. */
export const GIVEN_UP = "given up";

const PIECE_BYTES = 8 << 20;

/** Sends small files with one request. Throws Problem, and AbortError when `signal` ends it. */
export async function sendTogether(files: readonly Found[], sending: Sending): Promise<Taken> {
  const form = new FormData();
  if (sending.batchId) form.append("batch_id", sending.batchId);
  if (sending.password) form.append("password", sending.password);
  for (const { file, folder } of files) form.append("files", file, folder ? `${folder}/${file.name}` : file.name);
  const shown = await token();
  let response = await posted(form, shown, sending);
  if (response.status === 401 && shown) response = await posted(form, await renewed(shown), sending);
  if (!response.ok) throw await problemOf(response);
  const answer = await response.json();
  const documents: { filename: string; status: string }[] = answer.documents ?? [answer.document];
  return { jobId: answer.job_id, known: new Set(documents.filter(({ status }) => status === "processed").map(({ filename }) => filename)) };
}

/** `fetch` tells nobody how much it has sent; this does. */
function posted(form: FormData, shown: string, { signal, key, onSent }: Sending): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/documents/upload");
    if (shown) request.setRequestHeader("Authorization", `Bearer ${shown}`);
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onload = () => {
      const retry = request.getResponseHeader("Retry-After");
      resolve(new Response(request.responseText, { status: request.status, headers: retry ? { "Retry-After": retry } : {} }));
    };
    request.onerror = () => reject(new Problem("offline", "The server cannot be reached."));
    request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
    if (signal.aborted) return request.onabort(new ProgressEvent("abort"));
    const stop = () => request.abort();
    signal.addEventListener("abort", stop);
    request.onloadend = () => signal.removeEventListener("abort", stop);
    request.send(form);
  });
}

/**
 * Sends a large file in pieces (tus), and goes on where an earlier try was cut off, also after the page was loaded anew.
 *
 * Throws Problem, and AbortError when `signal` ends it; what has come then stays for the next try for a day.
 */
export async function sendInPieces({ file, folder }: Found, { batchId, signal, onSent }: Sending): Promise<Taken> {
  let jobId = "";
  let end!: (refusal?: unknown) => void;
  const ended = new Promise<void>((resolve, reject) => {
    end = (refusal) => (refusal ? reject(refusal) : resolve());
  });
  const upload = new Upload(file, {
    endpoint: "/api/uploads",
    chunkSize: PIECE_BYTES,
    retryDelays: [500, 2_000],
    removeFingerprintOnSuccess: true,
    metadata: { filename: file.name, ...(folder ? { folder } : {}), ...(batchId ? { batch_id: batchId } : {}) },
    onBeforeRequest: async (request) => {
      const shown = await token();
      if (shown) request.setHeader("Authorization", `Bearer ${shown}`);
    },
    onAfterResponse: (_, response) => void (jobId = response.getHeader("Job-Id") ?? jobId),
    onProgress: onSent,
    onError: (thrown) => void problemIn(thrown).then(end),
    onSuccess: () => end(),
  });
  // What is given up for good is deleted on the server as well; after a pause it goes on.
  const stop = () => void upload.abort(signal.reason === GIVEN_UP).finally(() => end(new DOMException("The upload was stopped.", "AbortError")));
  signal.addEventListener("abort", stop);
  try {
    // Only into the same batch: an upload says for good where it belongs.
    const earlier = (await upload.findPreviousUploads()).find(({ metadata }) => (metadata.batch_id ?? null) === batchId && metadata.folder === (folder || undefined));
    if (earlier) upload.resumeFromPreviousUpload(earlier);
    if (signal.aborted) stop();
    else upload.start();
    await ended;
  } finally {
    signal.removeEventListener("abort", stop);
  }
  return { jobId, known: new Set() };
}

async function problemIn(thrown: Error): Promise<Problem> {
  const answer = (thrown as { originalResponse?: { getStatus: () => number; getBody: () => string } | null }).originalResponse;
  if (!answer?.getStatus()) return answer === undefined ? asProblem(thrown) : new Problem("offline", "The server cannot be reached.");
  return problemOf(new Response(answer.getBody(), { status: answer.getStatus() }));
}
