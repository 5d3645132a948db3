import { Fault } from "./faults";
import type { ClientMessage, ServerMessage, Start } from "./messages";

/** `mending`: it was cut and is being opened again. */
export type LineState = "opening" | "open" | "mending" | "closed";

export interface LineOptions {
  /** Returns where the socket is, and what opens it once. What it throws passes where its `isPassing` is true. */
  ticket: () => Promise<{ url: string; ticket: string }>;
  /** A conversation to go on with. */
  conversationId?: string | undefined;
  /** What is asked for, each time the line is opened. */
  start: () => Start;
  onMessage: (message: ServerMessage, sound?: ArrayBuffer) => void;
  onState: (state: LineState, fault?: Fault) => void;
}

/** A cut is mended within this; the server keeps events longer, a person does not wait longer. */
export const MEND_MS = 60_000;
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 5_000;
const PING_EVERY_MS = 4_000;
const SILENT_MS = 9_000;
const STOPPED = 1000;
const REFUSED = 1008;

/** The socket of a conversation: opened with a ticket, and opened again after the last message where it was cut. */
export class Line {
  #socket: WebSocket | null = null;
  #state: LineState = "closed";
  #conversationId = "";
  #after = "";
  #announced: ServerMessage | null = null;
  #refusal: ServerMessage | null = null;
  #isStopped = false;
  #brokenAt = 0;
  #waitMs = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #lastHeardAt = 0;
  #attempt = 0;

  constructor(private readonly options: LineOptions) {
    this.#conversationId = options.conversationId ?? "";
  }

  get state(): LineState {
    return this.#state;
  }

  get conversationId(): string {
    return this.#conversationId;
  }

  /** Opens the line, or the next one of the same conversation. */
  open(): void {
    this.#isStopped = false;
    this.#tell("opening");
    this.#brokenAt = Date.now();
    void this.#connect();
    window.addEventListener("online", this.#atOnce);
    window.addEventListener("offline", this.#cut);
  }

  /** Sends a message, or sound; what cannot be sent now is not sent later. */
  send(message: ClientMessage | Int16Array<ArrayBuffer>): void {
    if (this.#state !== "open") return;
    this.#socket?.send(message instanceof Int16Array ? message : JSON.stringify(message));
  }

  /** Opens the line anew, with what `start` says now. */
  restart(): void {
    if (this.#state !== "open") return;
    this.#drop();
    this.#tell("opening");
    this.#brokenAt = Date.now();
    void this.#connect();
  }

  /** Ends the conversation. */
  close(): void {
    this.send({ type: "stop" });
    this.#isStopped = true;
    this.#end();
  }

  async #connect(): Promise<void> {
    this.#refusal = this.#announced = null;
    const attempt = ++this.#attempt;
    try {
      const { url, ticket } = await this.options.ticket();
      // Meanwhile somebody may have hung up, or another try begun.
      if (attempt !== this.#attempt) return;
      const socket = new WebSocket(url, "aura.v1");
      this.#socket = socket;
      this.#lastHeardAt = Date.now();
      socket.binaryType = "arraybuffer";
      socket.onopen = () => socket.send(JSON.stringify({ type: "start", token: ticket, ...this.#asked() }));
      socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.#socket === socket && this.#heard(data);
      socket.onclose = ({ code, reason }) => this.#socket === socket && this.#broke(code, reason);
      clearInterval(this.#heartbeat);
      this.#heartbeat = setInterval(() => this.#beat(), PING_EVERY_MS);
    } catch (thrown) {
      if (attempt !== this.#attempt) return;
      const said = thrown as { isPassing?: boolean; code?: string; message?: string };
      if (said.isPassing ?? true) this.#mend();
      else this.#end(new Fault("server", said.message, said.code));
    }
  }

  #asked(): object {
    const resume = this.#conversationId ? { conversation_id: this.#conversationId, after: this.#after || undefined } : {};
    return {
      ...this.options.start(),
      ...resume,
      sample_rate_hz: 16_000,
      output: { encoding: "pcm16", sample_rate_hz: 24_000 },
      partials: true,
    };
  }

  #heard(data: string | ArrayBuffer): void {
    this.#lastHeardAt = Date.now();
    if (typeof data !== "string") {
      const about = this.#announced;
      this.#announced = null;
      if (about) this.#pass(about, data);
      return;
    }
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "turn.audio") this.#announced = message;
    else if (message.type !== "pong") this.#pass(message);
    else if (message.id) this.#after = message.id;
  }

  #pass(message: ServerMessage, sound?: ArrayBuffer): void {
    // A place counts once all of its message is here: the id of sound with the sound.
    if (message.id) this.#after = message.id;
    if (message.type === "ready") {
      this.#conversationId = message.conversation_id ?? "";
      this.#waitMs = FIRST_WAIT_MS;
      this.#brokenAt = 0;
      this.#tell("open");
    }
    if (message.type === "error") this.#refusal = message;
    if (message.type === "error" && this.#state !== "open" && message.retry_after_s === undefined) {
      this.#end(new Fault("server", message.detail, message.code));
    } else if (!message.speculative) this.options.onMessage(message, sound);
  }

  #beat(): void {
    if (Date.now() - this.#lastHeardAt > SILENT_MS) this.#cut();
    else this.send({ type: "ping" });
  }

  readonly #cut = () => {
    this.#drop();
    if (!this.#isStopped) this.#mend();
  };

  readonly #atOnce = () => {
    if (this.#state !== "mending" || this.#socket) return;
    clearTimeout(this.#timer);
    void this.#connect();
  };

  #broke(code: number, reason: string): void {
    this.#drop();
    const isOver = code === REFUSED || (code === STOPPED && reason === "stopped");
    if (isOver) this.#end(new Fault("server", this.#refusal?.detail ?? reason, this.#refusal?.code ?? reason));
    else this.#mend(this.#refusal?.retry_after_s);
  }

  #mend(retryAfterS = 0): void {
    this.#drop();
    this.#brokenAt ||= Date.now();
    if (Date.now() - this.#brokenAt > MEND_MS) return this.#end(new Fault("lost", this.#refusal?.detail));
    if (this.#state !== "opening" || this.#conversationId) this.#tell("mending");
    this.#timer = setTimeout(() => void this.#connect(), Math.max(this.#waitMs, retryAfterS * 1000));
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#attempt++;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#timer);
    socket?.close();
  }

  #end(fault?: Fault): void {
    window.removeEventListener("online", this.#atOnce);
    window.removeEventListener("offline", this.#cut);
    this.#drop();
    this.#tell("closed", fault);
  }

  #tell(state: LineState, fault?: Fault): void {
    this.#state = state;
    this.options.onState(state, fault);
  }
}
