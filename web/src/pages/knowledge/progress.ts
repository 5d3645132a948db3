import type { Schemas } from "../../api/client";
import { useMessages } from "../../i18n";

const STAGES = { extract: "knowledge.stageExtract", chunk: "knowledge.stageChunk", embed: "knowledge.stageEmbed", store: "knowledge.stageStore" } as const;

/** Returns in words where a document is, why it waits or why it failed; "" where there is nothing to say. */
export function useProgressText(document: Schemas["DocumentView"]): string {
  const t = useMessages();
  if (document.status === "failed") return document.detail ?? document.code ?? "";
  if (document.status === "processed" || document.status === "cancelled") return "";
  if (document.waiting_for) return t("knowledge.waitsFor", { what: document.waiting_for });
  if (document.status === "queued") return "";
  const stage = document.stage && document.stage in STAGES ? t(STAGES[document.stage as keyof typeof STAGES]) : (document.stage ?? "");
  return document.total ? `${stage} ${document.done ?? 0}/${document.total}` : stage;
}
