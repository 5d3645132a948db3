import { body } from "../../api/body";
import { api, ok, type Schemas } from "../../api/client";

/** How an assistant is put on other sites (docs/widget.md). */
export type Widget = Schemas["WidgetView"];
export type WidgetChange = Partial<Schemas["WidgetChange"]>;

const at = (key: string) => ({ params: { path: { key } } });

export function readWidget(key: string): Promise<Widget> {
  return ok(api.GET("/api/agents/{key}/widget", at(key)));
}

export function changeWidget(key: string, change: WidgetChange): Promise<Widget> {
  return ok(api.PATCH("/api/agents/{key}/widget", { ...at(key), body: body<Schemas["WidgetChange"]>(change) }));
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/i;

/** Returns the origin of what somebody typed as a site: "example.com/shop" is "https://example.com"; null for none. */
export function originOf(typed: string): string | null {
  const text = typed.trim();
  try {
    const url = new URL(/^https?:\/\//i.test(text) ? text : `https://${text}`);
    // Chromium makes "two words" a host of its own, `two%20words`; what the API takes has none of that.
    return HOST.test(url.hostname) && !url.username && /^https?:$/.test(url.protocol) ? url.origin : null;
  } catch {
    return null;
  }
}
