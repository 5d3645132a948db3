import { Group, Text } from "@mantine/core";
import { IconFile, IconFileMusic, IconFileText, IconFileTypePdf, IconFileTypeXls, IconMail, IconPhoto, IconWorld, type TablerIcon } from "@tabler/icons-react";
import { memo } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { DateTime } from "../../components/DateTime";
import { FileSize } from "../../components/FileSize";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import classes from "./knowledge.module.css";
import { useProgressText } from "./progress";

const ICONS: readonly [RegExp, TablerIcon][] = [
  [/^pdf$/, IconFileTypePdf],
  [/^(xlsx?|csv|tsv|ods)$/, IconFileTypeXls],
  [/^(png|jpe?g|tiff?|webp|gif|bmp)$/, IconPhoto],
  [/^(eml|msg)$/, IconMail],
  [/^html?$/, IconWorld],
  [/^(mp3|wav|m4a|ogg|flac|webm)$/, IconFileMusic],
  [/^(md|txt|docx?|odt|rtf)$/, IconFileText],
];

const TAGS_SHOWN = 3;

/** A document in a list; all of it leads to its page. */
export const DocumentRow = memo(function DocumentRow({ document }: { document: Schemas["DocumentView"] }) {
  const t = useMessages();
  const progress = useProgressText(document);
  const Icon = ICONS.find(([types]) => types.test(document.file_type))?.[1] ?? IconFile;
  const isBad = document.status === "failed";
  return (
    <Link to={`/app/knowledge/documents/${document.id}`} className={classes.document}>
      <Icon size={22} stroke={1.4} className={classes.icon} aria-hidden />
      <div style={{ minWidth: 0 }}>
        <Text fz="sm" fw={550} truncate>
          {document.title || document.filename}
        </Text>
        <Group gap={8} wrap="nowrap" style={{ overflow: "hidden" }}>
          <Text fz="xs" c="dimmed" truncate>
            {[document.folder, document.title && document.title !== document.filename ? document.filename : ""].filter(Boolean).map((each) => `${each} · `)}
            <FileSize bytes={document.file_size} />
            {document.status === "processed" && ` · ${t("knowledge.chunkCount", { count: document.chunks })}`}
          </Text>
          {document.tags.slice(0, TAGS_SHOWN).map((tag) => (
            <span key={tag} className={classes.tag}>
              {tag}
            </span>
          ))}
        </Group>
      </div>
      <div className={classes.state} style={{ minWidth: 0 }}>
        <StateBadge state={document.status} />
        {progress && (
          <Text fz="xs" c={isBad ? "var(--mantine-color-error)" : "dimmed"} truncate title={progress}>
            {progress}
          </Text>
        )}
      </div>
      <Text fz="xs" c="dimmed" className={classes.when}>
        <DateTime at={document.created_at} />
      </Text>
    </Link>
  );
});
