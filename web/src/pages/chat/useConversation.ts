import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { api, ok, type Schemas } from "../../api/client";
import { useRows } from "../../api/pages";
import { type Exchange, isOpen, kept, merged, type Question, rounds } from "./exchange";
import { newTalk } from "./talk";

const PAGE = 50;
const KEPT_MS = 30_000;

/** A conversation as a page shows it: what is kept, page by page from its end, and what is asked now. */
export function useConversation(id: string | undefined) {
  const [talk] = useState(newTalk);
  const [begun, setBegun] = useState<string | null>(null);
  const here = useSyncExternalStore(talk.subscribe, talk.exchanges);
  useEffect(() => () => talk.leave(), [talk]);

  const mine = useMemo(() => here.filter((each) => (id ? each.conversationId === id : each.key === begun)), [here, id, begun]);
  const rows = useRows(
    ["conversation", id, "turns"],
    async (after, signal) => {
      const params = { path: { id: id! }, query: { limit: PAGE, ...(after && { after }) } };
      const page = await ok(api.GET("/api/memory/conversations/{id}/turns", { params, signal }));
      // Newest first, as the pages come.
      return { rows: page.turns.reverse(), next: page.next };
    },
    // What the server may have heard, though it has not said so, would stand there twice.
    { enabled: id !== undefined && !mine.some((each) => !each.turnId && isOpen(each)) },
  );
  const server = useMemo(() => (rows.data ?? []).map((turn) => kept(turn, id!)).reverse(), [rows.data, id]);
  const exchanges = useMemo(() => merged(server, mine), [server, mine]);
  const shown = useMemo(() => rounds(exchanges), [exchanges]);

  // What was being answered when the page was loaded anew goes on here.
  useEffect(() => server.filter(isOpen).forEach(talk.follow), [server, talk]);

  const ask = useCallback(
    (question: Question) => {
      const key = talk.ask(question);
      if (!question.conversationId) setBegun(key);
    },
    [talk],
  );
  // Who goes from a conversation to the address of none begins another.
  const previous = useRef(id);
  useEffect(() => {
    if (previous.current && !id) setBegun(null);
    previous.current = id;
  }, [id]);
  const current = exchanges.findLast(isOpen);
  return {
    rounds: shown,
    exchanges,
    /** The exchange that is answered now. */
    current,
    /** The conversation that was begun here, once the server has named it. */
    begunId: here.find(({ key }) => key === begun)?.conversationId ?? null,
    isLoading: id !== undefined && rows.isPending && mine.length === 0,
    error: rows.isError && exchanges.length === 0 ? rows.error : null,
    retry: () => void rows.refetch(),
    hasOlder: rows.hasNextPage,
    isReadingOlder: rows.isFetchingNextPage,
    older: useCallback(() => void rows.fetchNextPage(), [rows.fetchNextPage]),
    ask,
    stop: talk.stop as (exchange: Exchange) => Promise<void>,
    change: talk.change as (exchange: Exchange, what: Partial<Exchange>) => void,
    forget: useCallback(() => setBegun(null), []),
  };
}

/** Returns the assistants one may talk with, and whether that is known yet, or cannot be. */
export function useAssistants(): { assistants: Schemas["AgentCard"][]; isKnown: boolean } {
  const { data, isPending } = useQuery({
    queryKey: ["agents", "active"],
    staleTime: KEPT_MS,
    queryFn: () => ok(api.GET("/api/agents", { params: { query: { limit: 200 } } })),
  });
  const assistants = useMemo(() => (data?.agents ?? []).filter((agent) => !("is_active" in agent) || agent.is_active), [data]);
  return { assistants, isKnown: !isPending };
}

/** Returns what is known of a conversation: its title, and whom it is with. */
export function useAbout(id: string | undefined): Schemas["ConversationWhole"] | undefined {
  return useQuery({
    queryKey: ["conversations", "about", id],
    enabled: id !== undefined,
    staleTime: KEPT_MS,
    queryFn: () => ok(api.GET("/api/memory/conversations/{id}", { params: { path: { id: id! }, query: { limit: 1 } } })),
  }).data;
}
