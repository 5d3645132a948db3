import createClient from "openapi-fetch";
import { Problem, problemOf } from "./problem";
import type { components, paths } from "./schema";
import { renewed, token } from "./session";

/** The bodies that the API knows, by their names: `Schemas["DocumentView"]`. */
export type Schemas = components["schemas"];

/**
 * Sends a request in the user's name and returns its answer; a token that has run out is renewed once.
 *
 * Throws Problem for every answer that is no success, and with the code `offline` where there was none.
 */
export async function send(request: Request): Promise<Response> {
  const shown = await token();
  const again = request.clone();
  let response = await sent(request, shown);
  if (response.status === 401 && shown) {
    const fresh = await renewed(shown);
    // Not without a token: in single-tenant mode that would be done in another organisation's name.
    if (fresh) response = await sent(again, fresh);
  }
  if (!response.ok && response.status !== 304) throw await problemOf(response);
  return response;
}

async function sent(request: Request, shown: string): Promise<Response> {
  if (shown) request.headers.set("Authorization", `Bearer ${shown}`);
  else request.headers.delete("Authorization");
  try {
    return await fetch(request);
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
    throw new Problem("offline", "The server cannot be reached.");
  }
}

/** The typed client: `ok(api.GET("/api/documents/{id}", { params: { path: { id } } }))`. */
export const api = createClient<paths>({ baseUrl: "/", fetch: send });

/** Returns what an answer holds. Throws Problem. */
export async function ok<T>(answer: Promise<{ data?: T }>): Promise<NonNullable<T>> {
  return (await answer).data as NonNullable<T>;
}

/** Returns a file of the API, as a page's picture or an export: what stands in an address carries no token. */
export async function blob(path: string, signal?: AbortSignal): Promise<Blob> {
  return (await send(new Request(path, signal ? { signal } : {}))).blob();
}

/** Returns the address of a socket and the ticket that opens it once (`{"type": "start", "token": ticket}`). */
export async function socketTicket(path: string): Promise<{ url: string; ticket: string }> {
  const { ticket } = await ok(api.POST("/api/ticket"));
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return { url: url.href, ticket };
}
