import { api, ok, type Schemas } from "../../../api/client";
import { itemsOf, matched } from "./items";
import { twins } from "./twins";
import type { FileState, Sent } from "./sent";

interface Ended {
  code?: string | null;
  detail?: string | null;
  remedy?: string | null;
}

/** Reads where the files of a batch stand, and puts it down in them. */
export async function readBatch(id: string, files: readonly Sent[]): Promise<void> {
  const { state } = await ok(api.GET("/api/batches/{id}", { params: { path: { id } } }));
  const items = await itemsOf(id);
  const arrived = files.filter((file) => file.hasArrived);
  const same = twins(items);
  for (const [file, item] of matched(arrived, items)) {
    stands(file, item.status, item, item.document_id);
    file.sameAs = same.get(item) ?? "";
  }
  // An archive is no item of its batch; what was in it is.
  if (state === "completed") for (const file of arrived) if (file.state === "sent") file.state = "processed";
}

/** Reads where a file that came alone stands: a document, or the batch that an archive has become. */
export async function readJob(id: string, file: Sent): Promise<void> {
  const job = await ok(api.GET("/api/jobs/{id}", { params: { path: { id } } }));
  if (job.kind !== "batch") return stands(file, job.status as FileState, job.result as Schemas["DocumentView"], id);
  const { state, totals, detail } = job.result as Schemas["BatchView"];
  const none = state === "completed" && totals.processed === 0;
  const status = !job.finished ? "running" : state === "cancelled" ? "cancelled" : none ? "failed" : "processed";
  stands(file, status, { detail: detail ?? null }, null);
}

function stands(file: Sent, state: FileState, { code, detail, remedy }: Ended, documentId: string | null): void {
  const isBad = state === "failed" || state === "refused";
  Object.assign(file, { state, documentId, code: (isBad && code) || "", reason: isBad ? [detail, remedy].filter(Boolean).join(" ") : "" });
}
