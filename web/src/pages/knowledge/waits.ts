import type { MessageKey, Values } from "../../i18n/catalogue";

type Words = (found: RegExpExecArray) => [MessageKey, Values?];

/** What the API says that a document or batch waits for (`waiting_for`), and what we say for it. */
const KNOWN: readonly [RegExp, Words][] = [
  [/^its batch, which is paused$|it is paused$/, () => ["knowledge.waitsPaused"]],
  [/^its turn: (\d+) of your documents/, ([, count]) => ["knowledge.waitsBehind", { count: Number(count) }]],
  [/^its turn|^a free worker/, () => ["knowledge.waitsTurn"]],
  [/^a worker: none is running for `(\w+)`/, ([, queue]) => ["knowledge.waitsNobody", { queue: queue! }]],
  [/^its files: its archive is unpacked, (\d+) so far/, ([, count]) => ["knowledge.waitsUnpacked", { count: Number(count) }]],
  [/^its files: its addresses are fetched, (\d+) so far/, ([, count]) => ["knowledge.waitsFetched", { count: Number(count) }]],
  [/^(.*) It is tried again at (\d+:\d+:\d+) UTC/, ([, why, time]) => ["knowledge.waitsAgain", { why: why!, time: time! }]],
  [/^more files, until it is closed/, () => ["knowledge.waitsFiles"]],
];

/** Returns which message says what is waited for; the API's own words for what has none. */
export function waits(said: string): [MessageKey, Values?] {
  for (const [pattern, words] of KNOWN) {
    const found = pattern.exec(said);
    if (found) return words(found);
  }
  return ["knowledge.waitsFor", { what: said.replace(/`/g, "") }];
}
