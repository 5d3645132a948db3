import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Fault } from "./faults";
import { Line, type LineState, MEND_MS } from "./line";
import type { ServerMessage } from "./messages";

/** A socket whose other end is the test. */
class Socket {
  static opened: Socket[] = [];
  onopen = () => {};
  onmessage = (_: { data: unknown }) => {};
  onclose = (_: { code: number; reason: string }) => {};
  sent: Record<string, unknown>[] = [];
  isClosed = false;
  constructor(readonly url: string) {
    Socket.opened.push(this);
  }
  send(data: string) {
    this.sent.push(JSON.parse(data));
  }
  close() {
    this.isClosed = true;
  }
  says(message: object) {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

let states: [LineState, Fault | undefined][];
let heard: [ServerMessage, ArrayBuffer | undefined][];
let line: Line;
let tickets: number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("WebSocket", Socket);
  Socket.opened = [];
  [states, heard, tickets] = [[], [], 0];
  line = new Line({
    ticket: async () => ({ url: "ws://x", ticket: `ticket ${++tickets}` }),
    start: () => ({ assistant_key: "desk" }),
    onMessage: (message, sound) => heard.push([message, sound]),
    onState: (state, fault) => states.push([state, fault]),
  });
});

afterEach(() => {
  line.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function opened(): Promise<Socket> {
  line.open();
  await vi.advanceTimersByTimeAsync(0);
  const socket = Socket.opened.at(-1)!;
  socket.onopen();
  socket.says({ type: "ready", id: "1", conversation_id: "c", state: "listening" });
  return socket;
}

test("the ticket is in the first message, and in no address", async () => {
  const socket = await opened();
  expect(socket.url).toBe("ws://x");
  expect(socket.sent[0]).toMatchObject({ type: "start", token: "ticket 1", assistant_key: "desk", sample_rate_hz: 16_000 });
});

test("after a cut it goes on behind the last message, and sound counts once it is whole", async () => {
  const socket = await opened();
  socket.says({ type: "turn.audio", id: "2", turn_id: "t", bytes: 2 });
  socket.onmessage({ data: new ArrayBuffer(2) });
  socket.says({ type: "turn.audio", id: "3", turn_id: "t", bytes: 2 });
  socket.onclose({ code: 1006, reason: "" });
  expect(line.state).toBe("mending");
  await vi.advanceTimersByTimeAsync(400);
  const next = Socket.opened.at(-1)!;
  next.onopen();
  expect(next.sent[0]).toMatchObject({ token: "ticket 2", conversation_id: "c", after: "2" });
  expect(heard.filter(([message]) => message.type === "turn.audio").length).toBe(1);
});

test("a line that is silent is taken for cut", async () => {
  const socket = await opened();
  await vi.advanceTimersByTimeAsync(14_000);
  expect(socket.isClosed).toBe(true);
  expect(Socket.opened.length).toBeGreaterThan(1);
});

test("what cannot be mended in a minute is told", async () => {
  const socket = await opened();
  socket.onclose({ code: 1006, reason: "" });
  for (let spent = 0; spent < MEND_MS + 20_000; spent += 500) {
    await vi.advanceTimersByTimeAsync(500);
    const last = Socket.opened.at(-1)!;
    if (!last.isClosed) last.onclose({ code: 1006, reason: "" });
  }
  expect(line.state).toBe("closed");
  expect(states.at(-1)![1]!.code).toBe("lost");
});

test("a refusal is not tried again, and its reason is told", async () => {
  line.open();
  await vi.advanceTimersByTimeAsync(0);
  Socket.opened[0]!.says({ type: "error", code: "unknown_assistant", detail: "There is no such assistant." });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(Socket.opened.length).toBe(1);
  expect(states.at(-1)![1]).toMatchObject({ code: "server", serverCode: "unknown_assistant", detail: "There is no such assistant." });
});

test("the network's return is not waited for", async () => {
  const socket = await opened();
  socket.onclose({ code: 1006, reason: "" });
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
  expect(Socket.opened.length).toBe(2);
});

test("what is speculative is not told", async () => {
  const socket = await opened();
  socket.says({ type: "turn.token", id: "9", turn_id: "t", text: "x", speculative: true });
  expect(heard.some(([message]) => message.type === "turn.token")).toBe(false);
});
