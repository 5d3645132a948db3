import { type AuraEvent, events, type Following, jobEvents } from "../../api/events";
import { api, ok, type Schemas } from "../../api/client";
import { asProblem } from "../../api/problem";
import { after, asked, type Exchange, isOpen, kept, type Question } from "./exchange";

/** What a conversation needs of the server. */
export interface Line {
  /** Asks once, however often the line breaks: `key` tells the question from others. */
  ask: (question: Question, key: string, following: Following) => AsyncIterable<AuraEvent>;
  follow: (turnId: string, following: Following) => AsyncIterable<AuraEvent>;
  cancel: (turnId: string) => Promise<unknown>;
  /** Returns the turn as it is kept once it has ended, null where it is gone. */
  turn: (conversationId: string, turnId: string) => Promise<Schemas["TurnView"] | null>;
}

const RECENT = 10;

export const line: Line = {
  ask: ({ question, assistantKey, conversationId, files = [] }, key, following) => {
    const body = {
      message: question,
      assistant_key: assistantKey,
      stream: true,
      ...(conversationId && { conversation_id: conversationId }),
      ...(files.length > 0 && { filters: { doc_ids: files.map((file) => file.document_id) } }),
    };
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream", "Idempotency-Key": key };
    const request = new Request("/api/chat", { method: "POST", headers, body: JSON.stringify(body) });
    return events(request, { isLast: (event) => /^turn\.(completed|failed|cancelled)$/.test(event.name), ...following });
  },
  follow: jobEvents,
  cancel: (turnId) => api.DELETE("/api/jobs/{id}", { params: { path: { id: turnId } } }),
  turn: async (conversationId, turnId) => {
    const params = { path: { id: conversationId }, query: { limit: RECENT } };
    const { turns } = await ok(api.GET("/api/memory/conversations/{id}/turns", { params }));
    return turns.find((turn) => turn.turn_id === turnId) ?? null;
  },
};

/** The exchanges that were asked or are followed on this page, as they grow. */
export interface Talk {
  subscribe: (listener: () => void) => () => void;
  exchanges: () => readonly Exchange[];
  /** Asks, and returns the key of the exchange. */
  ask: (question: Question) => string;
  /** Goes on with a turn that is answered right now, from its beginning: after a page was loaded anew. */
  follow: (exchange: Exchange) => void;
  /** Ends an answer where it is; the events say when that is so. */
  stop: (exchange: Exchange) => Promise<void>;
  /** Notes what the user did with an exchange: rated it, for one. */
  change: (exchange: Exchange, what: Partial<Exchange>) => void;
  /** Leaves all lines; the server goes on answering. */
  leave: () => void;
}

/** Returns a talk without exchanges. `paint` calls back before the next frame: tokens come faster than those. */
export function newTalk(server: Line = line, paint: (act: () => void) => void = beforeNextFrame): Talk {
  const listeners = new Set<() => void>();
  const lines = new Map<string, AbortController>();
  const wanted = new Set<string>();
  let exchanges: readonly Exchange[] = [];
  let isPainting = false;

  const tell = () => listeners.forEach((listener) => listener());
  const put = (key: string, next: (before: Exchange) => Exchange) => {
    exchanges = exchanges.map((each) => (each.key === key ? next(each) : each));
    if (isPainting) return;
    isPainting = true;
    paint(() => ((isPainting = false), tell()));
  };
  const get = (key: string) => exchanges.find((each) => each.key === key);

  const listen = async (key: string, open: (following: Following) => AsyncIterable<AuraEvent>) => {
    const control = new AbortController();
    lines.set(key, control);
    const onLine = (isConnected: boolean) => put(key, (before) => ({ ...before, isConnected }));
    const onAnswer = (response: Response) => {
      put(key, (before) => ({ ...before, ...named(response) }));
      if (wanted.delete(key)) void stop(get(key)!);
    };
    try {
      for await (const event of open({ signal: control.signal, onLine, onAnswer })) put(key, (before) => after(before, event));
      if (!control.signal.aborted) await settle(key);
    } catch (thrown) {
      const { code, detail } = asProblem(thrown);
      put(key, (before) => ({ ...before, state: "failed", problem: { code, detail }, isConnected: true }));
    } finally {
      if (lines.get(key) === control) lines.delete(key);
    }
  };

  // What is kept says more than the last event: what came nearest, and whether it counts as unanswered.
  const settle = async (key: string) => {
    const { turnId, conversationId } = get(key)!;
    if (!turnId || !conversationId) return;
    const turn = await server.turn(conversationId, turnId).catch(() => null);
    if (!turn || turn.status === "queued" || turn.status === "running") return;
    const whole = kept(turn, conversationId);
    put(key, (before) => ({ ...whole, key, text: whole.text || before.text, assistantKey: before.assistantKey ?? whole.assistantKey }));
  };

  const stop = async (exchange: Exchange) => {
    const now = get(exchange.key) ?? exchange;
    if (!now.turnId && !now.isConnected) {
      // The server was not reached: there is nothing to wait for.
      lines.get(now.key)?.abort();
      return put(now.key, (before) => ({ ...before, state: "stopped", isConnected: true }));
    }
    if (!now.turnId) return void wanted.add(now.key);
    await server.cancel(now.turnId).catch((thrown: unknown) => {
      // It has ended meanwhile, and its events say so.
      if (asProblem(thrown).status !== 409) throw thrown;
    });
  };

  return {
    subscribe: (listener) => (listeners.add(listener), () => void listeners.delete(listener)),
    exchanges: () => exchanges,
    ask: (question) => {
      const key = crypto.randomUUID?.() ?? `${Date.now()} ${Math.random()}`;
      exchanges = [...exchanges, asked(key, question, new Date())];
      tell();
      void listen(key, (following) => server.ask(question, key, following));
      return key;
    },
    follow: (exchange) => {
      const { turnId } = exchange;
      if (!turnId || !isOpen(exchange) || exchanges.some((each) => each.turnId === turnId)) return;
      exchanges = [...exchanges, exchange];
      tell();
      void listen(exchange.key, (following) => server.follow(turnId, following));
    },
    stop,
    change: (exchange, what) => {
      if (!get(exchange.key)) exchanges = [...exchanges, exchange];
      put(exchange.key, (before) => ({ ...before, ...what }));
    },
    leave: () => {
      for (const control of lines.values()) control.abort();
      lines.clear();
      exchanges = [];
    },
  };
}

/** Returns what a stream says of its turn before its first event; one that was asked before is sent on to its turn's. */
function named({ headers, url }: Response): Partial<Exchange> {
  const turnId = /\/jobs\/([0-9a-f-]{36})\//.exec(headers.get("Location") ?? url)?.[1];
  const conversationId = /\/conversations\/([0-9a-f-]{36})/.exec(headers.get("Link") ?? "")?.[1];
  return { ...(turnId && { turnId }), ...(conversationId && { conversationId }) };
}

function beforeNextFrame(act: () => void): void {
  // A page that nobody looks at has no frames.
  if (document.hidden) setTimeout(act, 250);
  else requestAnimationFrame(act);
}
