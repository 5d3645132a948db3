import { createParser } from "eventsource-parser";
import type { Citation } from "../src/voice/messages";

/** What a visitor was let in with (`POST /api/widget/{id}/visits`). */
export interface Visit {
  token: string;
  expires_in: number;
  name: string;
  greeting: string;
  language: string | null;
  voice: boolean;
  branding: { organization_name: string; custom_logo: string | null; brand_colors: Record<string, string> | null };
}

/** One side's words. */
export interface Item {
  id: string;
  isMine: boolean;
  text: string;
  citations: readonly Citation[];
  state: "open" | "done" | "cut" | "failed";
}

/** What outlives a change of the page in one tab. */
interface Kept {
  visit: Visit;
  /** Milliseconds of the epoch. */
  endsAt: number;
  conversationId: string;
  items: Item[];
}

const TRIES = 5;
const EARLY_MS = 60_000;

/** What the server said against it. */
export class Refused extends Error {}

/** A visitor's stay: its token, kept for as long as the tab, and what was asked. */
export class Stay {
  readonly #key: string;
  #kept: Kept | null;

  constructor(
    readonly server: string,
    private readonly widgetId: string,
  ) {
    this.#key = `aura.widget.${widgetId}`;
    this.#kept = read(this.#key);
  }

  get items(): readonly Item[] {
    return this.#kept?.items ?? [];
  }

  get conversationId(): string {
    return this.#kept?.conversationId ?? "";
  }

  keep(change: { items?: Item[]; conversationId?: string }): void {
    if (!this.#kept) return;
    Object.assign(this.#kept, change);
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(this.#kept));
    } catch {
      // Storage that is full or forbidden: it lasts as long as the page.
    }
  }

  /** Returns the token that holds for a while yet, a new one where it does not. Throws Refused. */
  async visit(): Promise<Visit> {
    if (this.#kept && this.#kept.endsAt - Date.now() > EARLY_MS) return this.#kept.visit;
    const response = await fetch(`${this.server}/api/widget/${this.widgetId}/visits`, { method: "POST" });
    if (!response.ok) throw new Refused(await detailOf(response));
    const visit = (await response.json()) as Visit;
    // A conversation belongs to its visitor: a new one begins another.
    this.#kept = { visit, endsAt: Date.now() + visit.expires_in * 1000, conversationId: "", items: [...this.items] };
    this.keep({});
    return visit;
  }

  /** Forgets the token: the next visit gets another. */
  leave(): void {
    if (this.#kept) this.#kept.endsAt = 0;
  }

  /** Asks, and tells each event of the answer; goes on where the line breaks. Throws Refused, and TypeError offline. */
  async ask(message: string, onEvent: (name: string, data: Record<string, unknown>) => void, signal: AbortSignal): Promise<void> {
    let response = await this.#asked(message, signal);
    if (response.status === 401) {
      this.leave();
      response = await this.#asked(message, signal);
    }
    if (!response.ok) throw new Refused(await detailOf(response));
    const again = new URL(response.headers.get("Location") ?? "", this.server).href;
    let after = "";
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        for await (const event of eventsOf(response)) {
          after = event.id || after;
          onEvent(event.name, event.data);
          if (/^turn\.(completed|failed|cancelled)$/.test(event.name)) return;
        }
      } catch (thrown) {
        if (signal.aborted) return;
        if (attempt === TRIES - 1) throw thrown;
      }
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
      const headers = { ...(await this.#headers()), ...(after && { "Last-Event-ID": after }) };
      response = await fetch(again, { headers, signal });
    }
  }

  async stop(turnId: string): Promise<void> {
    await fetch(`${this.server}/api/widget/turns/${turnId}`, { method: "DELETE", headers: await this.#headers() }).catch(() => undefined);
  }

  async #asked(message: string, signal: AbortSignal): Promise<Response> {
    const headers = { ...(await this.#headers()), "Content-Type": "application/json" };
    const body = JSON.stringify({ message, conversation_id: this.conversationId || null });
    return fetch(`${this.server}/api/widget/chat`, { method: "POST", headers, body, signal });
  }

  async #headers(): Promise<Record<string, string>> {
    return { Authorization: `Bearer ${(await this.visit()).token}` };
  }
}

async function* eventsOf(response: Response): AsyncGenerator<{ id: string; name: string; data: Record<string, unknown> }> {
  const found: { id: string; name: string; data: Record<string, unknown> }[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => found.push({ id: id ?? "", name: event ?? "", data: JSON.parse(data) as Record<string, unknown> }),
  });
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    parser.feed(decoder.decode(piece.value, { stream: true }));
    yield* found.splice(0);
  }
}

async function detailOf(response: Response): Promise<string> {
  const said = (await response.json().catch(() => ({}))) as { detail?: string };
  return said.detail ?? `${response.status}`;
}

function read(key: string): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}
