import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, blob, ok } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import classes from "./panel.module.css";

const WIDTH_PX = 1200;
const KEPT_MS = 5 * 60_000;

/** Returns how many pages a document has; undefined until it is known. */
export function usePages(documentId: string, page: number): number | undefined {
  const params = { path: { id: documentId, n: page }, query: { format: "json" as const } };
  const { data } = useQuery({
    queryKey: ["page", documentId],
    staleTime: KEPT_MS,
    // The picture and its facts have one address: the generated type knows the picture alone.
    queryFn: async () => (await ok(api.GET("/api/documents/{id}/pages/{n}", { params }))) as unknown as { pages: number },
  });
  return data?.pages;
}

/** A page of a document as a picture. It is fetched with the user's token, which an address would not carry. */
export function PagePicture({ address, label }: { address: string; label: string }) {
  const whole = `${address}${address.includes("?") ? "&" : "?"}width=${WIDTH_PX}`;
  const picture = useQuery({ queryKey: ["picture", whole], staleTime: KEPT_MS, queryFn: ({ signal }) => blob(whole, signal) });
  const [url, setUrl] = useState("");
  useEffect(() => {
    if (!picture.data) return;
    const made = URL.createObjectURL(picture.data);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [picture.data]);
  if (picture.error) return <ErrorNote error={picture.error} onRetry={() => void picture.refetch()} />;
  if (!url) return <Skeleton className={classes.page} />;
  return <img className={classes.page} src={url} alt={label} />;
}
