import type { Schemas } from "../../api/client";
import { waits } from "./waits";
import { useLanguage, useMessages, useSentence } from "../../i18n";

const STAGES = { extract: "knowledge.stageExtract", chunk: "knowledge.stageChunk", embed: "knowledge.stageEmbed", store: "knowledge.stageStore" } as const;

const LOCKS = { encrypted: "knowledge.locked", wrong_password: "knowledge.wrongPassword" } as const;
const MARKS = /`/g;

/** Whether a document could not be read for want of its password. */
export const isLockedBy = (code: string | null | undefined): code is keyof typeof LOCKS => code != null && code in LOCKS;

/** Returns what says why something failed: of a lock that its password is asked for beside it, else what the API says. */
export function useReason(): (code: string | null | undefined, said: string) => string {
  const t = useMessages();
  const sentence = useSentence();
  return (code, said) => (isLockedBy(code) ? t(LOCKS[code]) : sentence({ code, detail: said.replace(MARKS, "") }));
}

/** Returns what says what a document or batch waits for, and why its last try failed where it waits for the next. */
export function useWaiting(): (waitsFor: string, code?: string | null) => string {
  const t = useMessages();
  const sentence = useSentence();
  const { language } = useLanguage();
  return (waitsFor, code) => {
    const [key, { why, time, ...values } = {}] = waits(waitsFor);
    if (!time) return t(key, values);
    const [hours, minutes, seconds] = String(time).split(":").map(Number);
    const at = new Date(new Date().setUTCHours(hours!, minutes, seconds));
    return t(key, { why: sentence({ code, detail: String(why) }), time: at.toLocaleTimeString(language, { timeStyle: "short" }) });
  };
}

/** Returns in words where a document is, why it waits or why it failed; "" where there is nothing to say. */
export function useProgressText(document: Schemas["DocumentView"]): string {
  const t = useMessages();
  const reason = useReason();
  const waiting = useWaiting();
  if (document.status === "failed") return reason(document.code, document.detail ?? document.code ?? "");
  if (document.status === "processed" || document.status === "cancelled") return "";
  if (document.waiting_for) return waiting(document.waiting_for, document.code);
  if (document.status === "queued") return "";
  const stage = document.stage && document.stage in STAGES ? t(STAGES[document.stage as keyof typeof STAGES]) : (document.stage ?? "");
  return document.total ? `${stage} ${document.done ?? 0}/${document.total}` : stage;
}
