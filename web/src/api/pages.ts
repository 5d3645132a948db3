import { type InfiniteData, keepPreviousData, type QueryKey, useInfiniteQuery, type UseInfiniteQueryResult } from "@tanstack/react-query";

/** A page of a listing: its rows, and the cursor of the next one. */
export interface CursorPage<Row> {
  rows: Row[];
  next: string | null | undefined;
}

/**
 * Reads a listing page by page as it is scrolled; `page` gets the cursor, undefined for the first one.
 *
 * With `keepsOthers` the rows of another key stay until those of this one are there, as where somebody types a search.
 */
export function useRows<Row>(
  queryKey: QueryKey,
  page: (after: string | undefined, signal: AbortSignal) => Promise<CursorPage<Row>>,
  { keepsOthers = false, ...options }: { refetchInterval?: number | false; enabled?: boolean; keepsOthers?: boolean } = {},
): UseInfiniteQueryResult<Row[], Error> {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => page(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: CursorPage<Row>) => last.next ?? undefined,
    select: (data: InfiniteData<CursorPage<Row>>) => data.pages.flatMap((each) => each.rows),
    ...(keepsOthers && { placeholderData: keepPreviousData }),
    ...options,
  });
}
