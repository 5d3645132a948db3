import { useSyncExternalStore } from "react";
import { Problem, problemOf } from "./problem";
import type { components } from "./schema";

type LoginAnswer = components["schemas"]["LoginAnswer"];

interface Session {
  accessToken: string;
  /** Milliseconds of the epoch. */
  expiresAt: number;
  refreshToken: string;
  userId: string;
}

const KEY = "aura.session";
const RENEW_BEFORE_MS = 60_000;
const listeners = new Set<() => void>();

/** Keeps a login in this browser, for all tabs. */
export function signIn(answer: LoginAnswer): void {
  keep({
    accessToken: answer.access_token,
    expiresAt: Date.now() + answer.expires_in * 1000,
    refreshToken: answer.refresh_token,
    userId: answer.user_id,
  });
}

/** Forgets the login in this browser; `api.POST("/api/logout")` ends it on the server. */
export function forget(): void {
  keep(null);
}

/** Returns who is signed in here, "" for nobody; components follow it over sign-in and sign-out, in any tab. */
export function useSignedIn(): string {
  return useSyncExternalStore(subscribe, signedIn);
}

/** Returns who is signed in here, "" for nobody. */
export function signedIn(): string {
  return read()?.userId ?? "";
}

/**
 * Returns a token that holds for a while yet, or "" where nobody is signed in (single-tenant mode needs none).
 *
 * Throws Problem where the login has ended, so that nothing is asked in another's name.
 */
export async function token(): Promise<string> {
  const session = read();
  if (!session) return "";
  if (session.expiresAt - Date.now() > RENEW_BEFORE_MS) return session.accessToken;
  const fresh = await renewed(session.accessToken);
  if (!fresh) throw new Problem("revoked", "The sign-in has ended.", 401);
  return fresh;
}

/**
 * Exchanges the refresh token and returns the next access token, or "" where the login has ended.
 *
 * One tab at a time: a refresh token that comes twice ends its login. The access token is kept beside it so that
 * loading a page again does not spend one: an exchange whose answer nobody waited for would sign the user out.
 */
export async function renewed(stale: string): Promise<string> {
  const exchange = async () => {
    const session = read();
    if (!session) return "";
    if (session.accessToken !== stale) return session.accessToken;
    const response = await fetch("/api/token/refresh", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: session.refreshToken }),
    });
    if (response.ok) {
      signIn(await response.json());
      return read()?.accessToken ?? "";
    }
    if (response.status !== 401) throw await problemOf(response);
    forget();
    return "";
  };
  return navigator.locks ? navigator.locks.request(KEY, exchange) : (underway ??= exchange().finally(() => (underway = null)));
}

/** The exchange of this tab, where the browser has no locks: pages of plain http that are not on localhost. */
let underway: Promise<string> | null = null;

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  const fromOtherTab = (event: StorageEvent) => event.key === KEY && listener();
  window.addEventListener("storage", fromOtherTab);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", fromOtherTab);
  };
}

function read(): Session | null {
  const kept = localStorage.getItem(KEY);
  return kept ? (JSON.parse(kept) as Session) : null;
}

function keep(session: Session | null): void {
  if (session) localStorage.setItem(KEY, JSON.stringify(session));
  else localStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}
