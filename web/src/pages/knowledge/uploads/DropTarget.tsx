import { Button, FileButton, Text } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from "react";
import { useMessages } from "../../../i18n";
import classes from "../knowledge.module.css";
import { upload } from "./store";
import { chosen, dropped, type Found } from "./walk";

/** Takes files and folders that are dropped anywhere in the window: beside it the browser would leave for the file. */
export function DropTarget({ isOn, children }: { isOn: boolean; children: ReactNode }) {
  const t = useMessages();
  const begin = useUpload();
  const isOver = useDropped(isOn, (transfer) => void dropped(transfer).then(begin));
  return (
    <div className={classes.target}>
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

/** Calls `onDrop` with files that are dropped into the window; returns whether some are held over it. */
function useDropped(isOn: boolean, onDrop: (transfer: DataTransfer) => void): boolean {
  const [depth, setDepth] = useState(0);
  const act = useEffectEvent(onDrop);
  useEffect(() => {
    if (!isOn) return;
    const off = new AbortController();
    const on = (type: "dragenter" | "dragover" | "dragleave" | "drop", then: (transfer: DataTransfer) => void) => {
      const heard = (event: DragEvent) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        then(event.dataTransfer);
      };
      window.addEventListener(type, heard, { signal: off.signal });
    };
    on("dragenter", () => setDepth((before) => before + 1));
    on("dragleave", () => setDepth((before) => before - 1));
    on("dragover", () => undefined);
    on("drop", (transfer) => {
      setDepth(0);
      act(transfer);
    });
    return () => off.abort();
  }, [isOn]);
  return depth > 0;
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
