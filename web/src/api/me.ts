import { type QueryClient, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, ok, type Schemas } from "./client";
import { Problem } from "./problem";
import { signedIn, useSignedIn } from "./session";

/** What a user may do; the same words as `x-permission` in the OpenAPI document. */
export type Permission =
  | "chat"
  | "documents:read"
  | "documents:write"
  | "ai:write"
  | "analytics:read"
  | "webhooks"
  | "tenant:admin"
  | "operate";

export interface Who {
  /** Null where nobody is signed in, and until it is known. */
  me: Schemas["Me"] | null;
  isKnown: boolean;
  error: Error | null;
  /** Asks once more, after an error. */
  retry: () => void;
  can: (permission: Permission) => boolean;
}

/** Returns who uses this page and what they may do. In single-tenant mode that is somebody without any login. */
export function useMe(): Who {
  const { data, isSuccess, error, refetch } = useQuery(asked(useSignedIn()));
  return {
    me: data ?? null,
    isKnown: isSuccess,
    error,
    retry: () => void refetch(),
    can: (permission) => data?.permissions.includes(permission) ?? false,
  };
}

/** Asks who this is before any page is there that wants to know. */
export function askWho(queries: QueryClient): void {
  void queries.prefetchQuery(asked(signedIn()));
}

const asked = (login: string) =>
  queryOptions({
    queryKey: ["me", login],
    staleTime: 60_000,
    queryFn: () =>
      ok(api.GET("/api/me")).catch((problem: Problem) => {
        if (problem.status === 401) return null;
        throw problem;
      }),
  });

/** Forgets what was read in another's name, whenever somebody signs in or out. */
export function useOnePersonsData(): void {
  const signedIn = useSignedIn();
  const client = useQueryClient();
  useEffect(() => () => client.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" }), [signedIn, client]);
}
