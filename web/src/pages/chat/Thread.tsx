import { Button, Skeleton } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useMessages } from "../../i18n";
import type { Place } from "./citations";
import type { AskedFile, Exchange, Round } from "./exchange";
import { RoundView } from "./RoundView";
import classes from "./thread.module.css";

interface Props {
  rounds: readonly Round[];
  isBusy: boolean;
  hasOlder: boolean;
  isReadingOlder: boolean;
  onOlder: () => void;
  onAsk: (question: string, files: readonly AskedFile[]) => void;
  onPlace: (place: Place) => void;
  onChange: (exchange: Exchange, what: Partial<Exchange>) => void;
}

const GUESS_PX = 340;
const NEAR_END_PX = 96;
const ROUNDS_AHEAD = 3;

/**
 * A conversation of any length, of which what is in sight is on the page.
 *
 * Who reads its end stays there as it grows; who has scrolled up stays where they are, also as older ones come before.
 */
export function Thread({ rounds, isBusy, hasOlder, isReadingOlder, onOlder, onAsk, onPlace, onChange }: Props) {
  const t = useMessages();
  const box = useRef<HTMLDivElement>(null);
  const [isSettled, setSettled] = useState(false);
  const [isAway, setAway] = useState(false);
  const wasAtEnd = useRef(true);
  const virtual = useVirtualizer({
    count: rounds.length,
    getScrollElement: () => box.current,
    estimateSize: () => GUESS_PX,
    getItemKey: (index) => rounds[index]!.key,
    overscan: ROUNDS_AHEAD,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: NEAR_END_PX,
    paddingStart: 24,
    paddingEnd: 16,
  });
  useLayoutEffect(() => virtual.scrollToEnd(), [virtual]);
  // A longer question, a turned phone or a keyboard make the box smaller: its end stays in sight.
  useEffect(() => {
    const resized = new ResizeObserver(() => {
      if (wasAtEnd.current) requestAnimationFrame(() => virtual.scrollToEnd());
    });
    resized.observe(box.current!);
    return () => resized.disconnect();
  }, [virtual]);
  // Older ones are read when their end is come to, not while the page comes to its own.
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), 300);
    return () => clearTimeout(timer);
  }, []);
  const shown = virtual.getVirtualItems();
  const first = shown[0]?.index ?? 0;
  useEffect(() => {
    if (isSettled && hasOlder && !isReadingOlder && first <= ROUNDS_AHEAD) onOlder();
  }, [isSettled, hasOlder, isReadingOlder, first, onOlder]);
  // What is asked here is looked at, wherever one was.
  const last = rounds.at(-1);
  const mark = last ? `${last.key} ${last.versions.length}` : "";
  const seen = useRef(mark);
  useEffect(() => {
    if (isBusy && mark !== seen.current) virtual.scrollToEnd();
    seen.current = mark;
  }, [mark, isBusy, virtual]);

  return (
    <div className={classes.around}>
      <div
        ref={box}
        className={classes.scroller}
        role="region"
        aria-label={t("chat.conversation")}
        tabIndex={0}
        onScroll={() => {
          wasAtEnd.current = virtual.isAtEnd(NEAR_END_PX);
          setAway(!wasAtEnd.current);
        }}
      >
        {isReadingOlder && <Skeleton className={classes.older} height={8} role="status" aria-label={t("common.loading")} />}
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {shown.map(({ index, key, start }) => (
            <div key={key} ref={virtual.measureElement} data-index={index} className={classes.round} style={{ transform: `translateY(${start}px)` }}>
              <RoundView round={rounds[index]!} isBusy={isBusy} onAsk={onAsk} onPlace={onPlace} onChange={onChange} />
            </div>
          ))}
        </div>
      </div>
      {isAway && (
        <Button
          className={classes.toEnd}
          size="xs"
          radius="xl"
          variant="default"
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={() => virtual.scrollToEnd()}
        >
          {t("chat.toEnd")}
        </Button>
      )}
    </div>
  );
}
