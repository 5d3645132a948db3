import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ok, type Schemas } from "../../../api/client";
import { DateTime } from "../../../components/DateTime";
import { ErrorNote } from "../../../components/ErrorNote";
import { StateBadge } from "../../../components/StateBadge";
import { useMessages } from "../../../i18n";
import classes from "../knowledge.module.css";

const STATES = {
  answering: ["active", "knowledge.answering"],
  in_work: ["running", "knowledge.inWorkState"],
  ended: ["failed", "knowledge.endedState"],
  replaced: ["inactive", "knowledge.replaced"],
} as const;

/** How often a document was made, by which model, and which time counts. */
export function Versions({ document }: { document: Schemas["DocumentView"] }) {
  const t = useMessages();
  const found = useQuery({
    queryKey: ["documents", "versions", document.id, document.status, document.version],
    queryFn: () => ok(api.GET("/api/documents/{id}/versions", { params: { path: { id: document.id } } })),
  });
  return (
    <>
      <ErrorNote error={found.error} onRetry={() => void found.refetch()} />
      <ol className={`${classes.panel} ${classes.hits}`} reversed>
        {found.data?.versions.map((version) => {
          const [state, words] = STATES[version.state];
          return (
            <li key={version.version} className={classes.entry} style={{ borderTop: "1px solid var(--aura-line)" }}>
              <div>
                <Text fz="sm" fw={600}>
                  {t("knowledge.versionNumber", { number: version.version })}
                </Text>
                <Text fz="xs" c="dimmed">
                  <DateTime at={version.created_at} />
                  {version.embedding_model && ` · ${version.embedding_model}`}
                  {version.chunks !== null && ` · ${t("knowledge.chunkCount", { count: version.chunks })}`}
                  {version.chunk_tokens !== null && ` · ${t("knowledge.cutTo", { tokens: version.chunk_tokens })}`}
                </Text>
                {(version.edits_kept || version.edits_dropped) && (
                  <Text fz="xs" c="dimmed">
                    {t("knowledge.edits", { kept: version.edits_kept ?? 0, dropped: version.edits_dropped ?? 0 })}
                  </Text>
                )}
              </div>
              <StateBadge state={state} label={t(words)} />
            </li>
          );
        })}
      </ol>
    </>
  );
}
