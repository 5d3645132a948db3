/** Why there is no conversation: words for each are in the catalogue of the page. */
export type FaultCode = "insecure" | "unsupported" | "refused" | "missing" | "busy" | "lost" | "server";

/** What keeps a conversation from beginning or going on. `detail` is the server's own sentence, where it said one. */
export class Fault extends Error {
  constructor(
    readonly code: FaultCode,
    readonly detail = "",
    readonly serverCode = "",
  ) {
    super(detail || code);
    this.name = "Fault";
  }
}

/** Returns why a microphone cannot be used. */
export function microphoneFault(thrown: unknown): Fault {
  const name = thrown instanceof DOMException ? thrown.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return new Fault("refused");
  if (name === "NotFoundError" || name === "OverconstrainedError") return new Fault("missing");
  if (name === "NotReadableError" || name === "AbortError") return new Fault("busy");
  return new Fault("unsupported", String(thrown));
}

/** Throws Fault where this page can never hear: browsers give a microphone to https and localhost alone. */
export function requireSound(): void {
  if (!window.isSecureContext) throw new Fault("insecure");
  if (!navigator.mediaDevices?.getUserMedia || typeof AudioWorkletNode === "undefined") throw new Fault("unsupported");
}
