import { CloseButton, Progress } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconFile } from "@tabler/icons-react";
import { useMessages, useSentence } from "../../i18n";
import classes from "./chat.module.css";
import type { Attached } from "./uploads";

/** The files of a question: how far each is, and why one did not come. */
export function AttachedFiles({ files, onRemove }: { files: readonly Attached[]; onRemove: (key: string) => void }) {
  const t = useMessages();
  const sentence = useSentence();
  if (files.length === 0) return null;
  return (
    <ul className={classes.files} aria-label={t("chat.files")}>
      {files.map((file) => (
        <li key={file.key} className={classes.file} data-state={file.state}>
          <FileIcon state={file.state} />
          <div className={classes.fileText}>
            <span className={classes.fileName}>{file.name}</span>
            <span className={classes.fileState} role="status">
              {file.problem ? sentence(file.problem) : t(`chat.file_${file.state}`)}
            </span>
            {(file.state === "sending" || file.state === "reading") && (
              <Progress
                size={3}
                value={(file.share ?? 1) * 100}
                animated={file.share === null}
                aria-label={t("chat.fileProgress", { name: file.name })}
              />
            )}
          </div>
          <CloseButton size="sm" aria-label={t("chat.removeFile", { name: file.name })} onClick={() => onRemove(file.key)} />
        </li>
      ))}
    </ul>
  );
}

function FileIcon({ state }: Pick<Attached, "state">) {
  const Icon = state === "failed" ? IconAlertTriangle : state === "ready" ? IconCheck : IconFile;
  return <Icon size={18} stroke={1.6} aria-hidden className={classes.fileIcon} />;
}
