import { expect, test } from "vitest";
import { headerLines, shownBody } from "./exchange";

test("what opens doors is not shown among the headers", () => {
  const lines = headerLines([["Authorization", "Bearer aura_sk_1"], ["set-cookie", "a=b"], ["X-Request-Id", "7"]]);
  expect(lines).toBe("Authorization: …\nset-cookie: …\nX-Request-Id: 7");
});

test("a secret in a reply is hidden and the rest is readable", () => {
  expect(shownBody('{"ticket":"aura_tk_x","expires_in":30}')).toBe('{\n  "ticket": "…",\n  "expires_in": 30\n}');
  expect(shownBody("event: a\ndata: 1")).toBe("event: a\ndata: 1");
});

test("a long reply is cut", () => {
  expect(shownBody("x".repeat(30_000))).toHaveLength(20_002);
});
