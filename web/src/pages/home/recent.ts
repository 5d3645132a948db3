import { useQuery } from "@tanstack/react-query";
import { api, ok } from "../../api/client";

const RECENT = 6;

/** Returns the conversations that were gone on with last, as they are when the page is opened. */
export function useRecent() {
  return useQuery({
    queryKey: ["conversations", "recent"],
    refetchOnMount: "always",
    queryFn: () => ok(api.GET("/api/memory/conversations", { params: { query: { limit: RECENT } } })),
  });
}
