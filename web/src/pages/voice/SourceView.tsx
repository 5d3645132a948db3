import { Modal, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { blob } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { useMessages } from "../../i18n";
import type { Citation } from "../../voice/messages";
import classes from "./voice.module.css";

/** The passage that a sentence rests on: its words, and its page with them marked where the format has pages. */
export function SourceView({ citation, onClose }: { citation: Citation | null; onClose: () => void }) {
  const t = useMessages();
  return (
    <Modal opened={citation !== null} onClose={onClose} size="lg" title={t("voice.sourceTitle")} closeButtonProps={{ "aria-label": t("common.close") }}>
      {citation && (
        <Stack gap="sm">
          <Text fw={600}>
            {[citation.filename, citation.page && t("voice.page", { page: citation.page }), ...(citation.heading_path ?? [])].filter(Boolean).join(" · ")}
          </Text>
          {citation.quote && <blockquote className={classes.quote}>{citation.quote}</blockquote>}
          {citation.page_image && <PageImage citation={citation} path={citation.page_image} />}
        </Stack>
      )}
    </Modal>
  );
}

function PageImage({ citation, path }: { citation: Citation; path: string }) {
  const t = useMessages();
  const { data, error, isPending } = useQuery({ queryKey: ["page image", path], queryFn: ({ signal }) => blob(path, signal) });
  const [url, setUrl] = useState("");
  useEffect(() => {
    if (!data) return;
    const made = URL.createObjectURL(data);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  if (error) return <ErrorNote error={error} />;
  if (isPending || !url) return <Loading />;
  return <img src={url} className={classes.pageImage} alt={t("voice.pageImage", { page: citation.page ?? 0, name: citation.filename ?? "" })} />;
}
