import { expect, test } from "vitest";
import { expiryOf, stateOf } from "./keys";

const NOW = Date.parse("2026-11-21T12:00:00Z");

test("a key lasts the days that were chosen, or for ever", () => {
  expect(expiryOf("30", NOW)).toBe("2026-12-21T12:00:00.000Z");
  expect(expiryOf("", NOW)).toBeNull();
});

test("a key that was revoked is said to be, also after its last day", () => {
  expect(stateOf({ revoked_at: null, expires_at: null }, NOW)).toBe("active");
  expect(stateOf({ revoked_at: null, expires_at: "2026-11-21T12:00:00Z" }, NOW)).toBe("expired");
  expect(stateOf({ revoked_at: "2026-11-20T00:00:00Z", expires_at: "2026-11-21T00:00:00Z" }, NOW)).toBe("revoked");
});
