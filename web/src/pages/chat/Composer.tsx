import { ActionIcon, FileButton, Text, Textarea, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconArrowUp, IconPaperclip, IconPlayerStopFilled } from "@tabler/icons-react";
import { type ClipboardEvent, type KeyboardEvent, type RefObject, useEffect, useEffectEvent, useState } from "react";
import { useMe } from "../../api/me";
import { useMessages } from "../../i18n";
import { AttachedFiles } from "./AttachedFiles";
import classes from "./chat.module.css";
import type { AskedFile } from "./exchange";
import type { Attaching } from "./useAttached";

interface Props {
  field: RefObject<HTMLTextAreaElement | null>;
  /** The conversation it is for: what waits in one is not asked in another. */
  place: string;
  text: string;
  onText: (text: string) => void;
  isBusy: boolean;
  attaching: Attaching;
  assistantKey: string;
  assistantName: string;
  onSend: (question: string, files: readonly AskedFile[]) => void;
  onStop: () => void;
}

/**
 * Where a question is written: Enter sends it, Shift+Enter begins a line, Escape stops the answer.
 *
 * What is sent while an answer is written, or files are read, waits for their end; who presses Enter again does not
 * wait for the answer, and who goes on writing sends it anew.
 */
export function Composer({ field, place, text, onText, isBusy, attaching, assistantKey, assistantName, onSend, onStop }: Props) {
  const t = useMessages();
  const { can } = useMe();
  const [heldIn, setHeldIn] = useState<string | null>(null);
  const { files } = attaching;
  const isReading = files.some(({ state }) => state === "sending" || state === "reading");
  const failed = files.filter(({ state }) => state === "failed");
  const isHeld = heldIn === place;

  const send = () => {
    if (!text.trim()) return;
    if (isBusy && isHeld) onStop();
    if (isBusy || isReading) return setHeldIn(place);
    const ready = files.filter(({ state }) => state === "ready");
    // An archive is many documents, which go by no one id: then all is searched.
    const isOne = ready.every(({ documentId }) => documentId);
    setHeldIn(null);
    onSend(text.trim(), isOne ? ready.map(({ documentId, name }) => ({ document_id: documentId!, filename: name })) : []);
  };
  const release = useEffectEvent(() => (failed.length > 0 ? setHeldIn(null) : send()));
  useEffect(() => {
    if (isHeld && !isReading && !isBusy) release();
  }, [isHeld, isReading, isBusy]);

  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  // A picture of the screen becomes a file; cells of a sheet come as a picture too, and are text.
  const pasted = (event: ClipboardEvent) => {
    const { files: found, types } = event.clipboardData;
    if (found.length === 0 || types.includes("text/plain") || !can("documents:write")) return;
    event.preventDefault();
    attaching.add([...found], assistantKey);
  };
  const placeholder = files[0] ? t("chat.askAbout", { name: files[0].name }) : t("chat.placeholder", { name: assistantName });
  const held = isHeld ? t(isBusy ? "chat.heldByAnswer" : "chat.held") : "";
  return (
    <div className={classes.composer}>
      <AttachedFiles files={files} onRemove={attaching.remove} />
      <div className={classes.writing}>
        {can("documents:write") && (
          <FileButton multiple onChange={(chosen) => attaching.add(chosen, assistantKey)}>
            {(button) => (
              <Tooltip label={t("chat.attach")}>
                <ActionIcon {...button} variant="subtle" color="gray" c="var(--mantine-color-dimmed)" size={36} radius="md" aria-label={t("chat.attach")}>
                  <IconPaperclip size={20} stroke={1.7} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
          </FileButton>
        )}
        <Textarea
          ref={field}
          className={classes.field}
          variant="unstyled"
          dir="auto"
          autosize
          minRows={1}
          maxRows={8}
          aria-label={placeholder}
          aria-describedby="chat-keys"
          placeholder={placeholder}
          value={text}
          onChange={(event) => {
            setHeldIn(null);
            onText(event.currentTarget.value);
          }}
          onKeyDown={pressed}
          onPaste={pasted}
        />
        {isBusy && (
          <Tooltip label={t("chat.stopKey")}>
            <ActionIcon size={36} radius="md" variant="default" aria-label={t("chat.stop")} onClick={onStop}>
              <IconPlayerStopFilled size={17} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
        {(!isBusy || text.trim()) && (
          <Tooltip label={t(isHeld && isBusy ? "chat.sendNow" : "chat.sendKey")}>
            <ActionIcon
              size={36}
              radius="md"
              aria-label={t(isHeld && isBusy ? "chat.sendNow" : "chat.send")}
              onClick={send}
              disabled={!text.trim()}
              loading={isHeld && !isBusy}
            >
              <IconArrowUp size={19} stroke={2} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      <Text id="chat-keys" fz="xs" c="dimmed" className={classes.keys} data-held={isHeld || undefined}>
        {held || t("chat.keys")}
      </Text>
      <VisuallyHidden role="status">{held}</VisuallyHidden>
    </div>
  );
}
