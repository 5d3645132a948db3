const KEY = "aura.anew";
const NOT_AGAIN_WITHIN_MS = 30_000;

/** Loads the page again, once, where the server can be reached: what it lacks may be in the version that is served now. */
export async function loadAnew(): Promise<void> {
  const last = Number(sessionStorage.getItem(KEY));
  if (Date.now() - last < NOT_AGAIN_WITHIN_MS) return;
  const { ok } = await fetch("/health").catch(() => ({ ok: false }));
  if (!ok) return;
  sessionStorage.setItem(KEY, String(Date.now()));
  window.location.reload();
}
