import { useQuery } from "@tanstack/react-query";
import { api, ok } from "../../api/client";

/** Returns the organisation's assistants as a choice: by key and name. */
export function useAssistants(): { value: string; label: string }[] {
  const { data } = useQuery({
    queryKey: ["agents", "names"],
    staleTime: 60_000,
    queryFn: () => ok(api.GET("/api/agents", { params: { query: { limit: 200 } } })),
  });
  return (data?.agents ?? []).map(({ assistant_key, name }) => ({ value: assistant_key, label: name }));
}

/** Returns the tags that documents have. */
export function useTags(): string[] {
  const { data } = useQuery({
    queryKey: ["documents", "tags"],
    staleTime: 30_000,
    queryFn: () => ok(api.GET("/api/documents/tags")),
  });
  return (data?.tags ?? []).map(({ tag }) => tag);
}
