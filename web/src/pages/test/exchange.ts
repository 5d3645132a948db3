import { token } from "../../api/session";

/** A request as it went and the reply as it came; secrets are left out of both. */
export interface Exchange {
  request: string;
  reply: string;
  status: number;
  ms: number;
  /** What came back, where it is sound. */
  sound?: Blob;
}

const MAX_SHOWN_CHARS = 20_000;
const SECRET = /^(authorization|cookie|set-cookie|proxy-authorization)$/i;
const SECRET_FIELDS = /"((?:access|refresh|invitation)_token|ticket|api_key|secret|password)":\s*"[^"]*"/g;

/** Returns headers as lines, those that open doors without their values. */
export function headerLines(headers: Iterable<[string, string]>): string {
  return [...headers].map(([name, value]) => `${name}: ${SECRET.test(name) ? "…" : value}`).join("\n");
}

/** Returns a body as it can be shown: JSON in lines of its own, secrets hidden, cut where it is long. */
export function shownBody(text: string): string {
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // It is no JSON: metrics, an event stream, a page.
  }
  shown = shown.replace(SECRET_FIELDS, '"$1": "…"');
  return shown.length > MAX_SHOWN_CHARS ? `${shown.slice(0, MAX_SHOWN_CHARS)}\n…` : shown;
}

/** Sends a request in the user's name and returns it with its reply, whatever that is. Throws where there is none. */
export async function exchange(method: string, path: string, body?: object | FormData, accept = "application/json"): Promise<Exchange> {
  const headers = new Headers({ Accept: accept });
  const shown = await token();
  if (shown) headers.set("Authorization", `Bearer ${shown}`);
  const isForm = body instanceof FormData;
  if (body && !isForm) headers.set("Content-Type", "application/json");
  const began = performance.now();
  const response = await fetch(path, { method, headers, ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}) });
  const type = response.headers.get("Content-Type") ?? "";
  const sound = type.startsWith("audio/") ? await response.blob() : undefined;
  const text = sound ? `(${sound.size} bytes, ${type})` : shownBody(await response.text());
  const sent = !body ? "" : isForm ? formText(body) : JSON.stringify(body, null, 2);
  return {
    request: [`${method} ${path}`, headerLines(headers), "", sent].join("\n").trim(),
    reply: [`HTTP ${response.status} ${response.statusText}`.trim(), headerLines(response.headers), "", text].join("\n"),
    status: response.status,
    ms: Math.round(performance.now() - began),
    ...(sound ? { sound } : {}),
  };
}

function formText(form: FormData): string {
  return [...form].map(([name, value]) => `${name}: ${value instanceof File ? `(${value.name}, ${value.size} bytes)` : value}`).join("\n");
}
