import { type QueryKey, useMutation, type UseMutationResult, useQueryClient } from "@tanstack/react-query";

/** Returns what does something and then has read anew what it changed: listings by the first parts of their keys. */
export function useAct<Result, Given = void>(
  act: (given: Given) => Promise<Result>,
  ...stale: QueryKey[]
): UseMutationResult<Result, Error, Given> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: () => Promise.all(stale.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
}

/** Returns a body of which the API fills in what is left out; its types name every field. */
export function given<Body>(fields: Partial<Body>): Body {
  return fields as Body;
}
