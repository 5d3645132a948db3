import { Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ok } from "../../api/client";
import { useMe } from "../../api/me";
import { useMessages } from "../../i18n";
import classes from "./answer.module.css";

const COUNTED = 100;
export const LOOK_EVERY_MS = 4_000;

/** Returns how many documents are still being read, 100 of a state at most; 0 where that is not for who asks. */
export function useInWork(): number {
  const { can } = useMe();
  const { data = 0 } = useQuery({
    queryKey: ["documents", "in work"],
    enabled: can("documents:read"),
    refetchInterval: (query) => (query.state.data ? LOOK_EVERY_MS : false),
    queryFn: async () => {
      const found = await Promise.all([count("queued"), count("running")]);
      return found[0] + found[1];
    },
  });
  return data;
}

/** Says that an answer may be missing since documents are still being read; nothing where none is. */
export function InWork() {
  const t = useMessages();
  const count = useInWork();
  if (count === 0) return null;
  return (
    <Text fz="sm" className={classes.note} role="status">
      <Loader size={14} aria-hidden /> {t("chat.inWork", { count })}
    </Text>
  );
}

async function count(status: "queued" | "running"): Promise<number> {
  return (await ok(api.GET("/api/documents", { params: { query: { status, limit: COUNTED } } }))).documents.length;
}
