import { send } from "../../api/client";

/** How an assistant is put on other sites (docs/widget.md). */
export interface Widget {
  /** Null until it was on once. */
  widget_id: string | null;
  is_on: boolean;
  /** Scheme, host and port of the sites that may show it. */
  allowed_origins: string[];
  voice: boolean;
  /** The line of HTML; "" until it was on once. */
  snippet: string;
}

export type WidgetChange = Partial<Pick<Widget, "is_on" | "allowed_origins" | "voice"> & { new_id: boolean }>;

const path = (key: string) => `/api/agents/${encodeURIComponent(key)}/widget`;

export async function readWidget(key: string): Promise<Widget> {
  return (await send(new Request(path(key)))).json();
}

export async function changeWidget(key: string, change: WidgetChange): Promise<Widget> {
  const headers = { "Content-Type": "application/json" };
  return (await send(new Request(path(key), { method: "PATCH", headers, body: JSON.stringify(change) }))).json();
}

/** Returns the origin of what somebody typed as a site: "example.com/shop" is "https://example.com"; null for none. */
export function originOf(typed: string): string | null {
  const text = typed.trim();
  try {
    const url = new URL(/^https?:\/\//i.test(text) ? text : `https://${text}`);
    return url.hostname && !url.username && /^https?:$/.test(url.protocol) && !url.hostname.includes("*") ? url.origin : null;
  } catch {
    return null;
  }
}
