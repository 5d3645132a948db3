import { Button, Skeleton, Stack } from "@mantine/core";
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";
import { useMessages } from "../i18n";
import { ErrorNote } from "./ErrorNote";
import classes from "./components.module.css";

interface Props<Row> {
  /** What `useRows` returns. */
  rows: UseInfiniteQueryResult<Row[], Error>;
  rowKey: (row: Row) => string;
  children: (row: Row, index: number) => ReactNode;
  /** What a screen reader calls the list. */
  label: string;
  /** Shown in place of a list without rows. */
  empty: ReactNode;
  /** Height of a row in pixels as it is guessed before it is measured. */
  guessPx?: number;
  /** Height of the part that scrolls: a CSS length. */
  height?: string;
}

const ROWS_AHEAD = 12;

/** A list of any length, of which the rows in sight are on the page; the next page is read before its end is seen. */
export function RowList<Row>({ rows, rowKey, children, label, empty, guessPx = 56, height = "min(70dvh, 48rem)" }: Props<Row>) {
  const t = useMessages();
  const box = useRef<HTMLDivElement>(null);
  const found = rows.data ?? [];
  const virtual = useVirtualizer({
    count: found.length,
    getScrollElement: () => box.current,
    estimateSize: () => guessPx,
    getItemKey: (index) => rowKey(found[index]!),
    overscan: ROWS_AHEAD,
    // Rows are drawn with the next frame, and not within the event of each scrolled pixel.
    useFlushSync: false,
  });
  const shown = virtual.getVirtualItems();
  const lastShown = shown.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = rows;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError && lastShown >= found.length - ROWS_AHEAD) void fetchNextPage();
  }, [lastShown, found.length, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  if (rows.isPending)
    return (
      <Stack gap="xs" role="status" aria-label={t("common.loading")}>
        {[0, 1, 2, 3].map((each) => (
          <Skeleton key={each} height={guessPx - 12} />
        ))}
      </Stack>
    );
  if (rows.isError && found.length === 0) return <ErrorNote error={rows.error} onRetry={() => void rows.refetch()} />;
  if (found.length === 0) return empty;
  return (
    <>
      <div ref={box} className={classes.rows} style={{ maxHeight: height }} tabIndex={0} role="region" aria-label={label}>
        <div role="list" aria-label={label} style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {shown.map(({ index, key, start }) => (
            <div
              key={key}
              ref={virtual.measureElement}
              data-index={index}
              role="listitem"
              aria-posinset={index + 1}
              aria-setsize={hasNextPage ? -1 : found.length}
              className={classes.row}
              style={{ transform: `translateY(${start}px)` }}
            >
              {children(found[index]!, index)}
            </div>
          ))}
        </div>
      </div>
      {isFetchNextPageError && (
        <Button variant="default" mt="xs" onClick={() => void fetchNextPage()}>
          {t("common.retry")}
        </Button>
      )}
    </>
  );
}
