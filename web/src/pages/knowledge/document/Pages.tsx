import { ActionIcon, Group, NumberInput, Skeleton, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { blob, type Schemas } from "../../../api/client";
import { ErrorNote } from "../../../components/ErrorNote";
import { useMessages } from "../../../i18n";
import classes from "../knowledge.module.css";

const WIDTH_PX = 1200;

/** The pages of a document as pictures, one at a time, with a chunk marked on its own. */
export function Pages({ document, marked }: { document: Schemas["DocumentView"]; marked: Schemas["ChunkView"] | null }) {
  const t = useMessages();
  const last = document.pages ?? 1;
  const [page, setPage] = useState(marked?.page_from ?? 1);
  const go = (to: number) => setPage(Math.min(last, Math.max(1, to)));
  const isMarked = marked !== null && page >= (marked.page_from ?? 0) && page <= (marked.page_to ?? 0);
  const path = `/api/documents/${document.id}/pages/${page}?width=${WIDTH_PX}${isMarked ? `&chunk_id=${marked.chunk_id}` : ""}`;
  const picture = usePicture(path);
  return (
    <div>
      <Group gap="xs" mb="sm" justify="center">
        <ActionIcon variant="default" size="lg" aria-label={t("knowledge.pageBefore")} disabled={page <= 1} onClick={() => go(page - 1)}>
          <IconChevronLeft size={18} aria-hidden />
        </ActionIcon>
        <NumberInput w={84} aria-label={t("knowledge.page")} min={1} max={last} hideControls value={page} onChange={(value) => value && go(Number(value))} />
        <Text fz="sm" c="dimmed">
          {t("knowledge.ofPages", { count: last })}
        </Text>
        <ActionIcon variant="default" size="lg" aria-label={t("knowledge.pageAfter")} disabled={page >= last} onClick={() => go(page + 1)}>
          <IconChevronRight size={18} aria-hidden />
        </ActionIcon>
      </Group>
      {picture.error && <ErrorNote error={picture.error} onRetry={() => void picture.refetch()} />}
      {picture.url ? <img className={classes.picture} src={picture.url} alt={t("knowledge.pageOf", { page, name: document.filename })} /> : !picture.error && <Skeleton height={480} />}
    </div>
  );
}

/** Returns the address in this browser of a picture that only who is signed in may load. */
function usePicture(path: string) {
  const found = useQuery({ queryKey: ["picture", path], queryFn: ({ signal }) => blob(path, signal), placeholderData: keepPreviousData, staleTime: Infinity, gcTime: 60_000 });
  const [url, setUrl] = useState("");
  useEffect(() => {
    if (!found.data) return;
    const made = URL.createObjectURL(found.data);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [found.data]);
  return { url, error: found.error, refetch: found.refetch };
}
