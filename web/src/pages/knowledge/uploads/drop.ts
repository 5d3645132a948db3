import { body } from "../../../api/body";
import { api, ok, type Schemas } from "../../../api/client";
import { jobEvents } from "../../../api/events";
import { asProblem } from "../../../api/problem";
import { GIVEN_UP, sendInPieces, sendTogether, type Sending } from "./post";
import { itemsOf, matched } from "./items";
import type { Found } from "./walk";

export type FileState = "waiting" | "sending" | "sent" | Schemas["BatchItemView"]["status"];

/** A file on its way: first its bytes, then what the workers make of it. */
export interface Sent extends Found {
  key: string;
  sentBytes: number;
  state: FileState;
  /** Why it was refused or failed, in the API's words. */
  reason: string;
  documentId: string | null;
}

const LARGE_BYTES = 16 << 20;
const TOGETHER_BYTES = 16 << 20;
const TOGETHER_FILES = 25;
const LANES = 2;
const LOOK_AFTER_MS = 700;

/** Where a file will not move any more by itself. */
export const isEnded = ({ state }: Sent) => !["waiting", "sending", "sent", "queued", "running"].includes(state);
export const isLeaving = ({ state }: Sent) => state === "waiting" || state === "sending";

/** Files that were dropped together: several are one batch of the API. `tell` is called after every change. */
export class Drop {
  readonly files: Sent[];
  batchId: string | null = null;
  jobId: string | null = null;
  isPaused = false;
  isCancelled = false;
  error: unknown = null;
  private stop = new AbortController();
  private readonly following = new AbortController();
  private isLooking = false;
  private running: Promise<void> | null = null;

  constructor(
    readonly id: string,
    readonly name: string,
    found: readonly Found[],
    private readonly tell: () => void,
  ) {
    this.files = found.map((each, index) => ({ ...each, key: `${id}-${index}`, sentBytes: 0, state: "waiting", reason: "", documentId: null }));
  }

  get isLeaving(): boolean {
    return !this.isCancelled && this.files.some(isLeaving);
  }

  get isEnded(): boolean {
    return this.files.every(isEnded);
  }

  /** Sends what has not been sent. */
  start(): void {
    this.running ??= this.run().finally(() => {
      this.running = null;
      this.tell();
    });
  }

  /** Stops sending, and lets no worker begin one of the files; of a large file the rest is sent later. */
  async pause(): Promise<void> {
    this.isPaused = true;
    this.stop.abort();
    this.tell();
    if (this.batchId) await ok(api.POST("/api/jobs/{id}/pause", { params: { path: { id: this.batchId } } }));
  }

  async resume(): Promise<void> {
    await this.running;
    this.isPaused = false;
    this.stop = new AbortController();
    if (this.batchId) await ok(api.POST("/api/jobs/{id}/resume", { params: { path: { id: this.batchId } } }));
    this.start();
    this.tell();
  }

  /** Sends nothing more and lets no worker go on; what is processed already stays. */
  async cancel(): Promise<void> {
    this.isCancelled = true;
    this.stop.abort(GIVEN_UP);
    for (const file of this.files) if (isLeaving(file)) file.state = "cancelled";
    this.tell();
    const id = this.jobId ?? this.batchId;
    if (id) await ok(api.DELETE("/api/jobs/{id}", { params: { path: { id } } }));
    await this.look();
  }

  /** Has the workers try again what failed there. Files that never arrived are for a new drop: `unsent`. */
  async retry(): Promise<void> {
    if (this.jobId && this.files.some((file) => file.state === "failed" || (file.state === "cancelled" && file.documentId))) {
      await ok(api.POST("/api/jobs/{id}/retry", { params: { path: { id: this.jobId } } }));
      this.isCancelled = false;
      this.follow(this.jobId);
      await this.look();
    }
  }

  /** The files that the API does not have: the line broke, they were refused, or were cancelled before. */
  get unsent(): Found[] {
    return this.files.filter((file) => !file.documentId && (file.state === "refused" || file.state === "cancelled"));
  }

  end(): void {
    this.following.abort();
  }

  private async run(): Promise<void> {
    try {
      if (this.files.length > 1 && !this.batchId) {
        const batch = await ok(api.POST("/api/batches", { body: body<Schemas["BatchBody"]>({ name: this.name.slice(0, 255) }) }));
        this.jobId = this.batchId = batch.id;
        this.follow(batch.id);
      }
      await Promise.all(Array.from({ length: LANES }, () => this.lane()));
      if (this.batchId && !this.isPaused && !this.isCancelled)
        await ok(api.POST("/api/batches/{id}/close", { params: { path: { id: this.batchId } } }));
    } catch (thrown) {
      this.error = thrown;
      for (const file of this.files) if (isLeaving(file)) this.refuse(file, asProblem(thrown).detail);
    }
    await this.look();
  }

  private async lane(): Promise<void> {
    for (let next = this.next(); next.length > 0; next = this.next()) {
      for (const file of next) file.state = "sending";
      this.tell();
      const sending: Sending = { batchId: this.batchId, signal: this.stop.signal, onSent: (bytes) => this.sent(next, bytes) };
      try {
        const first = next[0]!;
        const taken = first.file.size > LARGE_BYTES ? await sendInPieces(first, sending) : await sendTogether(next, sending);
        for (const file of next) this.arrived(file, taken.refused.find(({ filename }) => filename === file.file.name)?.detail);
        if (!this.batchId) this.alone(first, taken.jobId);
      } catch (thrown) {
        const isStopped = thrown instanceof DOMException && thrown.name === "AbortError";
        for (const file of next) {
          file.sentBytes = 0;
          if (isStopped) file.state = this.isCancelled ? "cancelled" : "waiting";
          else this.refuse(file, asProblem(thrown).detail);
        }
      }
      this.tell();
    }
  }

  /** Takes a large file, or small ones together, from those that wait. */
  private next(): Sent[] {
    if (this.stop.signal.aborted) return [];
    const waiting = this.files.filter((file) => file.state === "waiting");
    const first = waiting[0];
    if (!first || first.file.size > LARGE_BYTES) return waiting.slice(0, 1);
    const together: Sent[] = [];
    let bytes = 0;
    for (const file of waiting) {
      if (file.file.size > LARGE_BYTES || together.length === TOGETHER_FILES || bytes + file.file.size > TOGETHER_BYTES) break;
      together.push(file);
      bytes += file.file.size;
    }
    return together;
  }

  private sent(files: readonly Sent[], bytes: number): void {
    for (const file of files) {
      file.sentBytes = Math.min(file.file.size, Math.max(0, bytes));
      bytes -= file.file.size;
    }
    this.tell();
  }

  private arrived(file: Sent, refusal?: string): void {
    file.sentBytes = file.file.size;
    if (refusal === undefined) file.state = "sent";
    else this.refuse(file, refusal);
  }

  private refuse(file: Sent, reason: string): void {
    file.state = "refused";
    file.reason = reason;
  }

  /** A file by itself goes by its document's id, an archive by its batch's. */
  private alone(file: Sent, jobId: string): void {
    this.jobId = jobId;
    file.documentId = jobId;
    this.follow(jobId);
  }

  private follow(jobId: string): void {
    const { signal } = this.following;
    const read = async () => {
      for await (const event of jobEvents(jobId, { signal })) {
        if (event.name.endsWith(".progress") || event.name.startsWith("batch.") || event.name === "document.processed" || event.name === "document.failed")
          void this.look();
      }
      await this.look();
    };
    void read().catch((thrown) => {
      this.error = thrown;
      this.tell();
    });
  }

  /** Reads where the files stand; where that is asked again meanwhile, once more a moment later. */
  private async look(): Promise<void> {
    if (this.isLooking || !this.jobId) return;
    this.isLooking = true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER_MS));
    this.isLooking = false;
    try {
      if (this.batchId) await this.lookAtBatch(this.batchId);
      else await this.lookAtJob(this.jobId);
    } catch (thrown) {
      if (!asProblem(thrown).isPassing) this.error = thrown;
    }
    this.tell();
  }

  private async lookAtBatch(id: string): Promise<void> {
    const { state } = await ok(api.GET("/api/batches/{id}", { params: { path: { id } } }));
    const items = await itemsOf(id);
    const arrived = this.files.filter((file) => !isLeaving(file) && !(file.state === "refused" && !file.documentId));
    for (const [file, item] of matched(arrived, items)) this.stands(file, item.status, item.detail, item.document_id);
    // An archive is no item of its batch; what was in it is.
    if (state === "completed") for (const file of arrived) if (file.state === "sent") file.state = "processed";
  }

  private async lookAtJob(id: string): Promise<void> {
    const job = await ok(api.GET("/api/jobs/{id}", { params: { path: { id } } }));
    const file = this.files[0]!;
    if (job.kind === "batch") {
      file.documentId = null;
      file.state = job.finished ? "processed" : "running";
    } else this.stands(file, job.status as FileState, (job.result as { detail?: string | null }).detail ?? null, id);
  }

  private stands(file: Sent, state: FileState, detail: string | null, documentId: string | null): void {
    file.state = state;
    file.reason = detail ?? "";
    file.documentId = documentId;
  }
}
