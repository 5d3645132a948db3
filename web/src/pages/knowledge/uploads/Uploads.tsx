import { Anchor, Button, Group, Progress, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { Link } from "react-router";
import { asProblem } from "../../../api/problem";
import { ErrorNote } from "../../../components/ErrorNote";
import { FileSize } from "../../../components/FileSize";
import { StateBadge } from "../../../components/StateBadge";
import { useMessages } from "../../../i18n";
import type { MessageKey } from "../../../i18n/catalogue";
import classes from "../knowledge.module.css";
import type { Drop, FileState, Sent } from "./drop";
import { dismiss, upload, useDrops } from "./store";

/** What is being uploaded and worked on, one card for what was dropped together. */
export function Uploads() {
  return useDrops().map((drop) => <DropCard key={drop.id} drop={drop} />);
}

function DropCard({ drop }: { drop: Drop }) {
  const t = useMessages();
  const [isOpen, { toggle }] = useDisclosure(drop.files.length <= 8);
  const sums = sumsOf(drop.files);
  const act = (what: () => Promise<unknown>) => () =>
    void what().catch((thrown) => notifications.show({ color: "red", message: asProblem(thrown).detail }));
  const again = async () => {
    const { unsent } = drop;
    await drop.retry();
    if (unsent.length > 0) {
      upload(unsent, drop.name);
      if (unsent.length === drop.files.length) dismiss(drop);
    }
  };
  const total = drop.files.length;
  return (
    <section className={classes.panel} aria-label={drop.name}>
      <Group justify="space-between" gap="sm" px={18} pt={14} pb={8}>
        <UnstyledButton onClick={toggle} aria-expanded={isOpen} miw={0} flex="1 1 12rem">
          <Group gap={6} wrap="nowrap">
            {isOpen ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />}
            <Text fz="sm" fw={600} truncate>
              {drop.name}
            </Text>
          </Group>
        </UnstyledButton>
        <Group gap="xs">
          {!drop.isEnded && !drop.isCancelled && (
            <Button size="compact-sm" variant="default" onClick={act(() => (drop.isPaused ? drop.resume() : drop.pause()))}>
              {t(drop.isPaused ? "knowledge.resume" : "knowledge.pause")}
            </Button>
          )}
          {!drop.isEnded && !drop.isCancelled && (
            <Button size="compact-sm" variant="default" onClick={act(() => drop.cancel())}>
              {t("common.cancel")}
            </Button>
          )}
          {drop.isEnded && sums.bad + sums.cancelled > 0 && (
            <Button size="compact-sm" variant="default" onClick={act(again)}>
              {t("common.retry")}
            </Button>
          )}
          {(drop.isEnded || drop.isCancelled) && (
            <Button size="compact-sm" variant="subtle" onClick={() => dismiss(drop)}>
              {t("common.close")}
            </Button>
          )}
        </Group>
      </Group>
      <div style={{ padding: "0 18px 14px" }}>
        <Progress.Root size={8} aria-hidden={false}>
          <Progress.Section value={(100 * sums.ready) / total} color="teal" aria-label={t("knowledge.readyOf", { ready: sums.ready, total })} />
          <Progress.Section value={(100 * (sums.bad + sums.cancelled)) / total} color="red" aria-hidden />
          <Progress.Section value={sums.leaving ? (100 * sums.sentShare) / total : (100 * sums.inWork) / total} color="gray.5" aria-hidden />
        </Progress.Root>
        <Text fz="xs" c="dimmed" mt={6} role="status">
          {drop.isPaused ? `${t("common.paused")} · ` : ""}
          {sums.leaving > 0 && `${t("knowledge.sendingSize", { percent: Math.round((100 * sums.sentBytes) / Math.max(1, sums.bytes)) })} · `}
          {t("knowledge.readyOf", { ready: sums.ready, total })}
          {sums.inWork > 0 && ` · ${t("knowledge.inWork", { count: sums.inWork })}`}
          {sums.bad > 0 && ` · ${t("knowledge.notRead", { count: sums.bad })}`}
        </Text>
        <ErrorNote error={drop.error} />
      </div>
      {isOpen && <Files files={drop.files} />}
    </section>
  );
}

function Files({ files }: { files: readonly Sent[] }) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: files.length,
    getScrollElement: () => box.current,
    estimateSize: () => 36,
    overscan: 8,
    getItemKey: (index) => files[index]!.key,
  });
  return (
    <div ref={box} style={{ maxHeight: 300, overflowY: "auto" }} tabIndex={files.length > 8 ? 0 : -1} role="group">
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => (
          <div
            key={key}
            ref={virtual.measureElement}
            data-index={index}
            style={{ position: "absolute", insetInline: 0, transform: `translateY(${start}px)` }}
          >
            <FileRow file={files[index]!} />
          </div>
        ))}
      </div>
    </div>
  );
}

function FileRow({ file }: { file: Sent }) {
  const t = useMessages();
  const name = file.folder ? `${file.folder}/${file.file.name}` : file.file.name;
  const isBad = file.state === "refused" || file.state === "failed";
  return (
    <div className={classes.sent}>
      {file.documentId ? (
        <Anchor component={Link} to={`/app/knowledge/documents/${file.documentId}`} fz="sm" truncate>
          {name}
        </Anchor>
      ) : (
        <Text fz="sm" truncate>
          {name}
        </Text>
      )}
      {file.state === "sending" ? (
        <Progress
          value={(100 * file.sentBytes) / Math.max(1, file.file.size)}
          size="sm"
          aria-label={t("knowledge.sendingFile", { name: file.file.name })}
        />
      ) : (
        <StateOf state={file.state} />
      )}
      <Text fz="xs" c="dimmed" ta="right" className={classes.size}>
        <FileSize bytes={file.file.size} />
      </Text>
      {isBad && file.reason && (
        <Text fz="xs" c="var(--mantine-color-error)" className={classes.reason}>
          {file.reason}
        </Text>
      )}
    </div>
  );
}

const WORDS: Partial<Record<FileState, MessageKey>> = {
  waiting: "knowledge.waiting",
  sent: "knowledge.sent",
  refused: "knowledge.refused",
  deleted: "knowledge.deletedState",
};

function StateOf({ state }: { state: FileState }) {
  const t = useMessages();
  const words = WORDS[state];
  return <StateBadge state={state === "refused" ? "failed" : state === "waiting" || state === "sent" ? "queued" : state} {...(words ? { label: t(words) } : {})} />;
}

function sumsOf(files: readonly Sent[]) {
  const sums = { ready: 0, bad: 0, cancelled: 0, inWork: 0, leaving: 0, bytes: 0, sentBytes: 0, sentShare: 0 };
  for (const { state, file, sentBytes } of files) {
    sums.bytes += file.size;
    sums.sentBytes += Math.min(sentBytes, file.size);
    if (state === "processed") sums.ready += 1;
    else if (state === "refused" || state === "failed") sums.bad += 1;
    else if (state === "cancelled" || state === "deleted") sums.cancelled += 1;
    else if (state === "waiting" || state === "sending") sums.leaving += 1;
    else sums.inWork += 1;
    if (state !== "processed") sums.sentShare += file.size ? Math.min(1, sentBytes / file.size) : 0;
  }
  return sums;
}
