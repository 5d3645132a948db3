import { Button, FileButton, Text } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { type DragEvent, type ReactNode, useRef, useState } from "react";
import { useMessages } from "../../../i18n";
import classes from "../knowledge.module.css";
import { upload } from "./store";
import { chosen, dropped, type Found } from "./walk";

/** Takes files and folders that are dropped anywhere on it. */
export function DropTarget({ isOn, children }: { isOn: boolean; children: ReactNode }) {
  const t = useMessages();
  const begin = useUpload();
  const depth = useRef(0);
  const [isOver, setOver] = useState(false);
  const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  const entered = (event: DragEvent, by: number) => {
    if (!isOn || !hasFiles(event)) return;
    event.preventDefault();
    depth.current += by;
    setOver(depth.current > 0);
  };
  const landed = (event: DragEvent) => {
    if (!isOn || !hasFiles(event)) return;
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    void dropped(event.dataTransfer).then(begin);
  };
  return (
    <div
      className={classes.target}
      onDragEnter={(event) => entered(event, 1)}
      onDragLeave={(event) => entered(event, -1)}
      onDragOver={(event) => isOn && hasFiles(event) && event.preventDefault()}
      onDrop={landed}
    >
      {children}
      {isOver && (
        <div className={classes.veil}>
          <IconFileUpload size={40} stroke={1.4} aria-hidden />
          <Text fw={600}>{t("knowledge.dropHere")}</Text>
        </div>
      )}
    </div>
  );
}

/** The visible invitation to drop, with buttons for those who do not drag. */
export function Choose() {
  const t = useMessages();
  const begin = useUpload();
  const folder = useRef<HTMLInputElement>(null);
  return (
    <div className={classes.zone}>
      <IconFileUpload size={26} stroke={1.4} className={classes.icon} aria-hidden />
      <Text fz="sm" flex="1 1 16rem">
        {t("knowledge.dropHint")}
      </Text>
      <FileButton multiple onChange={(files) => begin(chosen(files))}>
        {(button) => (
          <Button size="sm" {...button}>
            {t("knowledge.chooseFiles")}
          </Button>
        )}
      </FileButton>
      <Button size="sm" variant="default" onClick={() => folder.current?.click()}>
        {t("knowledge.chooseFolder")}
      </Button>
      <input
        ref={folder}
        type="file"
        hidden
        aria-label={t("knowledge.chooseFolder")}
        {...{ webkitdirectory: "" }}
        onChange={(event) => {
          begin(chosen(event.currentTarget.files ?? []));
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

function useUpload(): (found: readonly Found[]) => void {
  const t = useMessages();
  return (found) => {
    const top = found[0]?.folder.split("/")[0];
    const isOneFolder = !!top && found.every(({ folder }) => folder.split("/")[0] === top);
    const name = found.length === 1 ? found[0]!.file.name : isOneFolder ? top : t("knowledge.files", { count: found.length });
    upload(found, name);
  };
}
