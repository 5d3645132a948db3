import { Button, Group, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState } from "react";
import { ErrorNote } from "../../../components/ErrorNote";
import { useTold } from "../../../components/useTold";
import { useMessages } from "../../../i18n";
import { Bar } from "../Bar";
import classes from "../knowledge.module.css";
import type { Drop } from "./drop";
import { FileRow } from "./FileRow";
import { isBad, type Sent, sumsOf } from "./sent";
import { dismiss, upload, useDrops } from "./store";

const SHOWN_AT_ONCE = 8;

/** What is being uploaded and worked on, one card for what was dropped together. */
export function Uploads() {
  return useDrops().map((drop) => <DropCard key={drop.id} drop={drop} />);
}

function DropCard({ drop }: { drop: Drop }) {
  const t = useMessages();
  const [isOpen, { toggle, open }] = useDisclosure(drop.files.length <= SHOWN_AT_ONCE);
  const [isBadOnly, setBadOnly] = useState(false);
  const sums = sumsOf(drop.files);
  const isSorted = isBadOnly && sums.bad > 0;
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
        <Reins drop={drop} bad={sums.bad + sums.cancelled} />
      </Group>
      <div style={{ padding: "0 18px 14px" }}>
        <Sum drop={drop} sums={sums} />
        {sums.bad > 0 && drop.files.length > SHOWN_AT_ONCE && (
          <Button
            size="compact-xs"
            variant="default"
            mt={8}
            aria-pressed={isSorted}
            onClick={() => {
              setBadOnly(!isSorted);
              open();
            }}
          >
            {t(isSorted ? "knowledge.showAll" : "knowledge.showBad", { count: sums.bad })}
          </Button>
        )}
        <ErrorNote error={drop.error} />
      </div>
      {isOpen && <Files drop={drop} files={isSorted ? drop.files.filter(isBad) : drop.files} />}
    </section>
  );
}

function Sum({ drop, sums }: { drop: Drop; sums: ReturnType<typeof sumsOf> }) {
  const t = useMessages();
  const total = drop.files.length;
  const said = [
    drop.isPaused && t("common.paused"),
    drop.isCancelled && t("common.cancelled"),
    drop.hindrance !== null && t("knowledge.noLine"),
    sums.leaving > 0 && t("knowledge.sendingSize", { percent: Math.round((100 * sums.sentBytes) / Math.max(1, sums.bytes)) }),
    t("knowledge.readyOf", { ready: sums.ready, total }),
    sums.inWork > 0 && t("knowledge.inWork", { count: sums.inWork }),
    sums.bad > 0 && t("knowledge.notRead", { count: sums.bad }),
  ];
  return (
    <>
      <Bar ready={sums.ready} inWork={sums.inWork + sums.sentShare} bad={sums.bad + sums.cancelled} total={total} />
      <Text fz="xs" c="dimmed" mt={6} role="status">
        {said.filter(Boolean).join(" · ")}
      </Text>
    </>
  );
}

function Reins({ drop, bad }: { drop: Drop; bad: number }) {
  const t = useMessages();
  const told = useTold();
  const [busy, setBusy] = useState("");
  const isOver = drop.isEnded || drop.isCancelled;
  const again = async () => {
    const { unsent } = drop;
    await drop.retry();
    if (unsent.length > 0) upload(unsent, drop.name);
    if (unsent.length === drop.files.length) dismiss(drop);
  };
  const button = (label: string, what: () => Promise<unknown>) => (
    <Button
      size="compact-sm"
      variant="default"
      loading={busy === label}
      onClick={() => {
        setBusy(label);
        void what().catch(told).finally(() => setBusy(""));
      }}
    >
      {label}
    </Button>
  );
  return (
    <Group gap="xs">
      {drop.canPause && (drop.isPaused ? button(t("knowledge.resume"), () => drop.resume()) : button(t("knowledge.pause"), () => drop.pause()))}
      {!isOver && button(t("common.cancel"), () => drop.cancel())}
      {drop.isEnded && bad > 0 && button(t("common.retry"), again)}
      {isOver && (
        <Button size="compact-sm" variant="subtle" onClick={() => dismiss(drop)}>
          {t("common.close")}
        </Button>
      )}
    </Group>
  );
}

function Files({ drop, files }: { drop: Drop; files: readonly Sent[] }) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: files.length,
    getScrollElement: () => box.current,
    estimateSize: () => 36,
    overscan: 8,
    getItemKey: (index) => files[index]!.key,
    useFlushSync: false,
  });
  return (
    <div ref={box} className={classes.files} tabIndex={files.length > SHOWN_AT_ONCE ? 0 : -1} role="group" aria-label={drop.name}>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => (
          <div key={key} ref={virtual.measureElement} data-index={index} style={{ position: "absolute", insetInline: 0, transform: `translateY(${start}px)` }}>
            <FileRow drop={drop} file={files[index]!} />
          </div>
        ))}
      </div>
    </div>
  );
}
