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

/** A document in a list; all of it leads to its page. Of plain elements, as there are many and they are scrolled. */
export const DocumentRow = memo(function DocumentRow({ document }: { document: Schemas["DocumentView"] }) {
  const t = useMessages();
  const progress = useProgressText(document);
  const Icon = ICONS.find(([types]) => types.test(document.file_type))?.[1] ?? IconFile;
  const isBad = document.status === "failed";
  return (
    <Link to={`/app/knowledge/documents/${document.id}`} className={classes.document}>
      <Icon size={22} stroke={1.4} className={classes.icon} aria-hidden />
      <span className={classes.about}>
        <span className={classes.name}>{document.title || document.filename}</span>
        <span className={classes.more}>
          <span className={classes.small}>
            {[document.folder, document.title && document.title !== document.filename ? document.filename : ""].filter(Boolean).map((each) => `${each} · `)}
            <FileSize bytes={document.file_size} />
            {document.status === "processed" && ` · ${t("knowledge.chunkCount", { count: document.chunks })}`}
          </span>
          {document.tags.slice(0, TAGS_SHOWN).map((tag) => (
            <span key={tag} className={classes.tag}>
              {tag}
            </span>
          ))}
        </span>
      </span>
      <span className={classes.state}>
        <StateBadge state={document.status === "running" && document.waiting_for ? "queued" : document.status} />
        {progress && (
          <span className={classes.small} data-is-bad={isBad || undefined} title={progress}>
            {progress}
          </span>
        )}
      </span>
      <span className={classes.when}>
        <DateTime at={document.created_at} />
      </span>
    </Link>
  );
});
