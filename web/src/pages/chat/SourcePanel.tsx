import { Drawer, Group, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";
import { useMessages } from "../../i18n";
import type { Place } from "./citations";
import { IconButton } from "./IconButton";
import { Passage } from "./Passage";
import { PagePicture, usePages } from "./PagePicture";
import classes from "./panel.module.css";

/** Where an answer comes from, beside the conversation: the page with the passage boxed, or the passage in its context. */
export function SourcePanel({ place, onClose }: { place: Place | null; onClose: () => void }) {
  const t = useMessages();
  // What is closed stays to be seen while it slides away.
  const [last, setLast] = useState(place);
  if (place && place !== last) setLast(place);
  const shown = place ?? last;
  return (
    <Drawer
      opened={place !== null}
      onClose={onClose}
      position="right"
      size="min(640px, 100vw)"
      overlayProps={{ backgroundOpacity: 0.2 }}
      title={<span className={classes.title}>{shown?.filename}</span>}
      closeButtonProps={{ "aria-label": t("common.close") }}
      classNames={{ title: classes.titleBox!, body: classes.body! }}
    >
      {shown && <Shown key={`${shown.documentId} ${shown.chunkId} ${shown.image}`} place={shown} />}
    </Drawer>
  );
}

function Shown({ place }: { place: Place }) {
  const { headingPath, quote, image, page } = place;
  return (
    <>
      {headingPath.length > 0 && (
        <Text fz="sm" c="dimmed">
          {headingPath.join(" › ")}
        </Text>
      )}
      {quote && <blockquote className={classes.quote}>{quote}</blockquote>}
      {image && page ? <Pages place={place} cited={page} image={image} /> : <Passage place={place} />}
    </>
  );
}

/** The page that is cited; one may turn to those around it. */
function Pages({ place, cited, image }: { place: Place; cited: number; image: string }) {
  const t = useMessages();
  const [page, setPage] = useState(cited);
  const pages = usePages(place.documentId, cited);
  const address = page === cited ? image : `/api/documents/${place.documentId}/pages/${page}`;
  return (
    <>
      <Group gap="xs" justify="center" className={classes.turning}>
        <IconButton label={t("chat.pageBefore")} icon={IconChevronLeft} disabled={page <= 1} onClick={() => setPage(page - 1)} />
        <Text fz="sm" aria-live="polite" className={classes.number}>
          {pages ? t("chat.pageOf", { page, pages }) : t("chat.page", { page })}
        </Text>
        <IconButton label={t("chat.pageAfter")} icon={IconChevronRight} disabled={!pages || page >= pages} onClick={() => setPage(page + 1)} />
      </Group>
      <PagePicture key={address} address={address} label={t(page === cited ? "chat.pageMarked" : "chat.pagePlain", { page, name: place.filename })} />
    </>
  );
}
