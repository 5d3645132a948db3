import { body } from "../../../api/body";
import { api, ok, type Schemas } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import { workEvents } from "../follow";
import { patiently } from "./patience";
import { GIVEN_UP, sendInPieces, type Sending, sendTogether, type Taken } from "./post";
import { begun, isEnded, isLeaving, refuse, type Sent } from "./sent";
import { isLarge, readable, together } from "./loads";
import { readBatch, readJob } from "./standing";
import type { Found } from "./walk";

const LANES = 2;
const LOOK_AFTER_MS = 700;
const NEWS = /^batch\.|\.progress$|^document\.(processed|failed)$/;

/** Files that were dropped together: several are one batch of the API. `tell` is called after every change. */
export class Drop {
  readonly files: Sent[];
  batchId: string | null = null;
  jobId: string | null = null;
  isPaused = false;
  isCancelled = false;
  /** What went wrong for all of it. */
  error: unknown = null;
  /** What it waits for before it goes on by itself: a line that broke, a server that is busy. */
  hindrance: unknown = null;
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
    this.files = begun(id, found);
  }

  get isLeaving(): boolean {
    return !this.isCancelled && this.files.some(isLeaving);
  }

  get isEnded(): boolean {
    return this.files.every(isEnded);
  }

  /** Whether anything of it can be held back: files that have not left, or a batch that workers take files from. */
  get canPause(): boolean {
    return !this.isEnded && !this.isCancelled && (this.batchId !== null || this.isLeaving);
  }

  /** The files that the API does not have: they were refused, or cancelled before they were sent. */
  get unsent(): Found[] {
    return this.files.filter((file) => !file.documentId && (file.state === "refused" || file.state === "cancelled"));
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
    if (this.batchId) await ok(api.POST("/api/jobs/{id}/resume", { params: { path: { id: this.batchId } } }));
    this.isPaused = false;
    this.stop = new AbortController();
    this.start();
    this.tell();
  }

  /** Sends nothing more and lets no worker go on; what is processed already stays. */
  async cancel(): Promise<void> {
    this.isCancelled = true;
    this.stop.abort(GIVEN_UP);
    for (const file of this.files) if (isLeaving(file)) file.state = "cancelled";
    this.tell();
    await this.running;
    const id = this.jobId ?? this.batchId;
    if (id) await ok(api.DELETE("/api/jobs/{id}", { params: { path: { id } } }));
    await this.look();
  }

  /** Has the workers try again what failed there. Files that never arrived are for a new drop: `unsent`. */
  async retry(): Promise<void> {
    if (!this.jobId || !this.files.some((file) => file.state === "failed" || (file.state === "cancelled" && file.documentId))) return;
    await ok(api.POST("/api/jobs/{id}/retry", { params: { path: { id: this.jobId } } }));
    this.isCancelled = false;
    this.follow(this.jobId);
    await this.look();
  }

  /** Has the workers try one file again. */
  async retryOne(file: Sent): Promise<void> {
    const id = file.documentId!;
    await ok(api.POST("/api/jobs/{id}/retry", { params: { path: { id } } }));
    this.follow(id);
    await this.look();
  }

  /** Leaves one file out: it is not sent, or no worker goes on with it. */
  async cancelOne(file: Sent): Promise<void> {
    const id = file.documentId;
    if (file.state === "waiting") file.state = "cancelled";
    else if (id) await ok(api.DELETE("/api/jobs/{id}", { params: { path: { id } } }));
    this.tell();
    await this.look();
  }

  /** Sends a file again with the password that opens it: the document that could not be read is then read. */
  async open(file: Sent, password: string): Promise<void> {
    const sending = { batchId: null, password, signal: this.following.signal, key: `${file.key}-${Date.now()}`, onSent: () => undefined };
    const { jobId } = await sendTogether([file], sending);
    Object.assign(file, { state: "queued", reason: "", code: "", documentId: jobId });
    this.tell();
    this.follow(jobId);
  }

  end(): void {
    this.following.abort();
  }

  private async run(): Promise<void> {
    try {
      if (this.files.length > 1 && !this.batchId) {
        const about = { body: body<Schemas["BatchBody"]>({ name: this.name.slice(0, 255) }), headers: { "Idempotency-Key": this.id } };
        const batch = await this.patiently(() => ok(api.POST("/api/batches", about)));
        this.jobId = this.batchId = batch.id;
        this.follow(batch.id);
      }
      await Promise.all(Array.from({ length: LANES }, () => this.lane()));
      const { batchId: id } = this;
      if (id && !this.isPaused && !this.isCancelled) await this.patiently(() => ok(api.POST("/api/batches/{id}/close", { params: { path: { id } } })));
    } catch (thrown) {
      if (!isStop(thrown)) this.fail(this.files.filter(isLeaving), thrown);
    }
    await this.look();
  }

  private async lane(): Promise<void> {
    for (let next = together(this.files); next.length > 0 && !this.stop.signal.aborted; next = together(this.files)) {
      for (const file of next) file.state = "sending";
      this.tell();
      try {
        const there = await readable(next);
        if (there.length > 0) this.arrived(there, await this.patiently(() => this.sendAll(there)));
      } catch (thrown) {
        if (isStop(thrown)) for (const file of next) this.stopped(file);
        else this.fail(next, thrown);
      }
      this.tell();
    }
  }

  private sendAll(files: readonly Sent[]): Promise<Taken> {
    // The same files under the same name are taken in once, though an answer of the API was lost.
    const key = `${this.id}:${files.map((file) => this.files.indexOf(file).toString(36)).join(".")}`;
    const sending: Sending = { batchId: this.batchId, signal: this.stop.signal, key, onSent: (bytes) => this.sent(files, bytes) };
    return isLarge(files[0]!) ? sendInPieces(files[0]!, sending) : sendTogether(files, sending);
  }

  private patiently<T>(act: () => Promise<T>): Promise<T> {
    return patiently(act, this.stop.signal, (by) => {
      this.hindrance = by;
      this.tell();
    });
  }

  private sent(files: readonly Sent[], bytes: number): void {
    for (const file of files) {
      file.sentBytes = Math.min(file.file.size, Math.max(0, bytes));
      bytes -= file.file.size;
    }
    this.tell();
  }

  private arrived(files: readonly Sent[], { jobId, known }: Taken): void {
    for (const file of files) Object.assign(file, { sentBytes: file.file.size, state: "sent", hasArrived: true, isKnown: known.has(file.file.name) });
    if (this.batchId) return void this.look();
    // A file by itself goes by its document's id, an archive by its batch's.
    this.jobId = files[0]!.documentId = jobId;
    this.follow(jobId);
  }

  private stopped(file: Sent): void {
    file.sentBytes = 0;
    file.state = this.isCancelled ? "cancelled" : "waiting";
  }

  private fail(files: readonly Sent[], thrown: unknown): void {
    const { code, detail } = asProblem(thrown);
    for (const file of files) refuse(file, code, detail);
  }

  private follow(jobId: string): void {
    const { signal } = this.following;
    const read = async () => {
      for await (const event of workEvents(jobId, signal)) if (NEWS.test(event.name)) void this.look();
      await this.look();
    };
    void read().catch((thrown) => {
      if (isStop(thrown)) return;
      this.error = thrown;
      this.tell();
    });
  }

  /** Reads where the files stand; where that is asked again meanwhile, once for all a moment later. */
  private async look(): Promise<void> {
    if (this.isLooking || !this.jobId) return;
    this.isLooking = true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER_MS));
    this.isLooking = false;
    try {
      const read = () => (this.batchId ? readBatch(this.batchId, this.files) : readJob(this.jobId!, this.files[0]!));
      await patiently(read, this.following.signal);
    } catch (thrown) {
      if (!isStop(thrown)) this.error = thrown;
    }
    this.tell();
  }
}

const isStop = (thrown: unknown) => thrown instanceof DOMException && thrown.name === "AbortError";
