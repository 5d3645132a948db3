import type { Schemas } from "../../../api/client";
import { isLockedBy } from "../progress";
import type { Found } from "./walk";

export type FileState = "waiting" | "sending" | "sent" | Schemas["BatchItemView"]["status"];

/** A file on its way: first its bytes, then what the workers make of it. */
export interface Sent extends Found {
  key: string;
  sentBytes: number;
  state: FileState;
  /** Why it was refused or failed: the API's stable code, and its words with what can be done. */
  code: string;
  reason: string;
  /** Whether the API has it, or has said why not. */
  hasArrived: boolean;
  documentId: string | null;
  /** Whether the same bytes were there before, so that nothing had to be read. */
  isKnown: boolean;
  /** The file of the same drop that has the same bytes and came first; "" where there is none. */
  sameAs: string;
}

/** What is said of a file that is no more where it was chosen from. */
export const GONE = "gone";

/** What a password opens. */
export const isLocked = ({ state, code }: Sent) => state === "failed" && isLockedBy(code);
export const isBad = ({ state }: Sent) => state === "refused" || state === "failed";
export const isLeaving = ({ state }: Sent) => state === "waiting" || state === "sending";

/** Where a file will not move any more by itself. */
export const isEnded = ({ state }: Sent) => !["waiting", "sending", "sent", "queued", "running"].includes(state);

/** Returns the files as they are before anything has been sent. */
export function begun(id: string, found: readonly Found[]): Sent[] {
  return found.map((each, index) => ({
    ...each,
    key: `${id}-${index}`,
    sentBytes: 0,
    state: "waiting",
    code: "",
    reason: "",
    hasArrived: false,
    documentId: null,
    isKnown: false,
    sameAs: "",
  }));
}

/** Puts down that a file is refused, and why. */
export function refuse(file: Sent, code: string, reason: string): void {
  Object.assign(file, { state: "refused", code, reason });
}

/** Returns how many files stand where, and how much of their bytes has left. */
export function sumsOf(files: readonly Sent[]) {
  const sums = { ready: 0, bad: 0, cancelled: 0, inWork: 0, leaving: 0, bytes: 0, sentBytes: 0, sentShare: 0 };
  for (const each of files) {
    const { state, file } = each;
    sums.bytes += file.size;
    sums.sentBytes += Math.min(each.sentBytes, file.size);
    if (state === "processed") sums.ready += 1;
    else if (isBad(each)) sums.bad += 1;
    else if (state === "cancelled" || state === "deleted") sums.cancelled += 1;
    else if (isLeaving(each)) sums.leaving += 1;
    else sums.inWork += 1;
    if (isLeaving(each)) sums.sentShare += file.size ? Math.min(1, each.sentBytes / file.size) : 0;
  }
  return sums;
}
