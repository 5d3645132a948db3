import type { Schemas } from "../../api/client";
import { useMessages } from "../../i18n";

const STAGES = { extract: "knowledge.stageExtract", chunk: "knowledge.stageChunk", embed: "knowledge.stageEmbed", store: "knowledge.stageStore" } as const;

const LOCKS = { encrypted: "knowledge.locked", wrong_password: "knowledge.wrongPassword" } as const;
const MARKS = /`/g;

/** Whether a document could not be read for want of its password. */
export const isLockedBy = (code: string | null | undefined): code is keyof typeof LOCKS => code != null && code in LOCKS;

/** Returns what says why something failed: of a lock in our words, as its password is asked for beside them. */
export function useReason(): (code: string | null | undefined, said: string) => string {
  const t = useMessages();
  return (code, said) => (isLockedBy(code) ? t(LOCKS[code]) : said.replace(MARKS, ""));
}

/** Returns in words where a document is, why it waits or why it failed; "" where there is nothing to say. */
export function useProgressText(document: Schemas["DocumentView"]): string {
  const t = useMessages();
  const reason = useReason();
  if (document.status === "failed") return reason(document.code, document.detail ?? document.code ?? "");
  if (document.status === "processed" || document.status === "cancelled") return "";
  if (document.waiting_for) return t("knowledge.waitsFor", { what: document.waiting_for.replace(MARKS, "") });
  if (document.status === "queued") return "";
  const stage = document.stage && document.stage in STAGES ? t(STAGES[document.stage as keyof typeof STAGES]) : (document.stage ?? "");
  return document.total ? `${stage} ${document.done ?? 0}/${document.total}` : stage;
}
