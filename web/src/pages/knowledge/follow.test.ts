import { beforeEach, expect, test, vi } from "vitest";
import { api } from "../../api/client";
import { jobEvents } from "../../api/events";
import { workEvents } from "./follow";

vi.mock("../../api/events", () => ({ jobEvents: vi.fn() }));
vi.mock("../../api/client", () => ({ api: { GET: vi.fn() }, ok: async (answer: Promise<{ data: unknown }>) => (await answer).data }));

const rounds = (...found: [string, string][][]) =>
  vi.mocked(jobEvents).mockImplementation(async function* () {
    for (const [id, name] of found.shift() ?? []) yield { id, name, data: {} };
  });
const finished = (...answers: boolean[]) => vi.mocked(api.GET).mockImplementation((async () => ({ data: { finished: answers.shift() } })) as never);

async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of workEvents("7", new AbortController().signal)) found.push(name);
  return found;
}

beforeEach(() => void vi.clearAllMocks());

test("what is tried again is followed past the end of the time before", async () => {
  rounds([["1-0", "document.failed"]], [["2-0", "document.extracted"], ["3-0", "document.processed"]]);
  finished(false, true);
  expect(await names()).toEqual(["document.failed", "document.extracted", "document.processed"]);
  expect(vi.mocked(jobEvents).mock.calls.map(([, { after }]) => after)).toEqual(["", "1-0"]);
});

test("where there is nothing more to hear it is not asked for ever", async () => {
  rounds([["1-0", "batch.completed"]], [["", "batch.completed"]]);
  finished(false, false, false);
  expect(await names()).toHaveLength(2);
});
