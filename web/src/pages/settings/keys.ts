const DAY_MS = 86_400_000;

/** Returns when a key ends that is to last so many days from `nowMs`; null for ever. */
export function expiryOf(days: string, nowMs: number): string | null {
  return days ? new Date(nowMs + Number(days) * DAY_MS).toISOString() : null;
}

/** Returns whether a key opens anything, and if not, why. */
export function stateOf(key: { revoked_at: string | null; expires_at: string | null }, nowMs: number): "active" | "revoked" | "expired" {
  if (key.revoked_at) return "revoked";
  return key.expires_at && Date.parse(key.expires_at) <= nowMs ? "expired" : "active";
}
