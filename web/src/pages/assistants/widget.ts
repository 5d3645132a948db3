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
