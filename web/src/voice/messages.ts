/** Messages of `/ws/voice/continuous` (docs/voice-protocol.md), as far as this client reads them. */

export type ServerState = "listening" | "hearing" | "thinking" | "speaking";

export interface Citation {
  number: number;
  document_id: string;
  filename?: string;
  page?: number | null;
  heading_path?: string[];
  quote?: string;
  /** Where its page is drawn, with the passage marked; null for formats without pages. */
  page_image?: string | null;
}

/** A stage of a turn's waterfall, in milliseconds since the turn was accepted (docs/latency.md). */
export interface Stage {
  start_ms: number;
  queued_ms?: number;
  run_ms: number;
  provider?: string;
}

/** Stages by their names, and moments (`…_ms`). */
export type Timings = Record<string, Stage | number | boolean | string | null>;

export interface ServerMessage {
  type: string;
  /** The place to resume after. */
  id?: string;
  turn_id?: string;
  /** Of a question that is not asked yet. */
  speculative?: boolean;
  state?: ServerState;
  conversation_id?: string;
  resumed?: boolean;
  recording?: { days: number };
  text?: string;
  stable?: string;
  attempt?: number;
  code?: string;
  detail?: string;
  retry_after_s?: number;
  reason?: string;
  gain?: number;
  bytes?: number;
  sample_rate_hz?: number;
  response?: string;
  citations?: Citation[];
  confidence?: unknown;
  context_confidence?: unknown;
  timings?: Timings;
  dismissed?: boolean;
}

/** What a client asks for when it opens a conversation. */
export interface Start {
  assistant_key?: string;
  language?: string;
  endpointing?: { mode: "server_vad" | "push_to_talk" };
}

export type ClientMessage =
  | { type: "commit" | "cancel" | "ping" | "stop" }
  | { type: "text"; text: string }
  | { type: "playback"; turn_id: string; played_ms: number };
