import { type InfiniteData, type QueryKey, useInfiniteQuery, type UseInfiniteQueryResult } from "@tanstack/react-query";

/** A page of a listing: its rows, and the cursor of the next one. */
export interface CursorPage<Row> {
  rows: Row[];
  next: string | null | undefined;
}

/** Reads a listing page by page as it is scrolled; `page` gets the cursor, undefined for the first one. */
export function useRows<Row>(
  queryKey: QueryKey,
  page: (after: string | undefined, signal: AbortSignal) => Promise<CursorPage<Row>>,
  options: { refetchInterval?: number | false; enabled?: boolean } = {},
): UseInfiniteQueryResult<Row[], Error> {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => page(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: CursorPage<Row>) => last.next ?? undefined,
    select: (data: InfiniteData<CursorPage<Row>>) => data.pages.flatMap((each) => each.rows),
    ...options,
  });
}
