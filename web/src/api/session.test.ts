import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { send } from "./client";
import { forget, signIn, token } from "./session";

const HERE = "http://aura.test";
const kept = new Map<string, string>();
let refreshes: string[] = [];

const login = (n: number, expires_in = 600) => ({
  access_token: `access-${n}`,
  refresh_token: `refresh-${n}`,
  expires_in,
  token_type: "bearer" as const,
  user_id: "u",
  tenant_id: "t",
  organization: "o",
  role: "admin",
});

/** A server that takes these access tokens, and exchanges each refresh token once. */
function server(taken: string[], isOpen = true): Request[] {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    if (typeof input === "string") {
      const { refresh_token } = JSON.parse(String(init?.body)) as { refresh_token: string };
      const isSpent = refreshes.includes(refresh_token);
      refreshes.push(refresh_token);
      return isOpen && !isSpent ? Response.json(login(refreshes.length + 1)) : Response.json({ code: "revoked", detail: "" }, { status: 401 });
    }
    asked.push(input);
    const shown = input.headers.get("Authorization")?.slice(7) ?? "nobody";
    return taken.includes(shown) ? Response.json({}) : Response.json({ code: "unauthenticated", detail: "Who?" }, { status: 401 });
  });
  return asked;
}

beforeEach(() => {
  refreshes = [];
  kept.clear();
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
});
afterEach(() => vi.unstubAllGlobals());

test("a token that runs out is exchanged once, however many ask for it at once", async () => {
  server([]);
  signIn(login(1, 30));
  expect(await Promise.all([token(), token(), token()])).toEqual(["access-2", "access-2", "access-2"]);
  expect(refreshes).toEqual(["refresh-1"]);
});

test("a request whose token is refused is sent again with a fresh one", async () => {
  const asked = server(["access-2"]);
  signIn(login(1));
  expect((await send(new Request(`${HERE}/api/me`))).ok).toBe(true);
  expect(asked.map((each) => each.headers.get("Authorization"))).toEqual(["Bearer access-1", "Bearer access-2"]);
});

test("nothing is sent in nobody's name once a login has ended", async () => {
  const asked = server(["nobody"], false);
  signIn(login(1));
  await expect(send(new Request(`${HERE}/api/documents/1`, { method: "DELETE" }))).rejects.toMatchObject({ status: 401 });
  expect(asked).toHaveLength(1);
  signIn(login(1, 30));
  await expect(send(new Request(`${HERE}/api/me`))).rejects.toMatchObject({ code: "revoked" });
  expect(asked).toHaveLength(1);
});

test("who is not signed in sends no token", async () => {
  forget();
  const asked = server(["nobody"]);
  await send(new Request(`${HERE}/api/me`));
  expect(asked[0]!.headers.has("Authorization")).toBe(false);
});
