/** A refusal of the API (problem+json), or a line that broke: the one error that pages have to show. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly status = 0,
    readonly traceId = "",
    /** Seconds after which it is worth trying again; 0 where that is not known. */
    readonly retryAfterS = 0,
    /** What is wrong with a field, by its name. */
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.name = "Problem";
  }

  /** Whether the same request may succeed a moment later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

/** Returns what an answer that is no success says. */
export async function problemOf(response: Response): Promise<Problem> {
  const retryAfterS = Number(response.headers.get("Retry-After")) || 0;
  try {
    const said = await response.json();
    const faults: { field: string; detail: string }[] = said.errors ?? [];
    const fields = Object.fromEntries(faults.map((fault) => [fault.field, fault.detail]));
    return new Problem(said.code, said.detail, response.status, said.trace_id, retryAfterS, fields);
  } catch {
    return new Problem("unreadable", `The server answered ${response.status}.`, response.status, "", retryAfterS);
  }
}

/** Returns anything that was thrown as a Problem. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  return new Problem("broken", thrown instanceof Error ? thrown.message : String(thrown));
}
