import { Button, Group, Loader, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "../../api/client";
import { useMe } from "../../api/me";
import { useMessages } from "../../i18n";
import classes from "./answer.module.css";

interface Counted {
  count: number;
  isMore: boolean;
}

const COUNTED = 100;
const NONE: Counted = { count: 0, isMore: false };
export const LOOK_EVERY_MS = 4_000;

/** Returns how many documents are still being read, as far as they were counted; 0 where that is not for who asks. */
export function useInWork(): number {
  return useCounted().count;
}

function useCounted(): Counted {
  const { can } = useMe();
  const { data = NONE } = useQuery({
    queryKey: ["documents", "in work"],
    enabled: can("documents:read"),
    refetchInterval: (query) => (query.state.data?.count ? LOOK_EVERY_MS : false),
    queryFn: async () => {
      const found = await Promise.all([count("queued"), count("running")]);
      return { count: found[0].count + found[1].count, isMore: found.some(({ isMore }) => isMore) };
    },
  });
  return data;
}

/** Says that an answer may be missing since documents are still being read, and once they are, offers to ask again. */
export function InWork({ onAgain }: { onAgain?: () => void }) {
  const t = useMessages();
  const { count, isMore } = useCounted();
  const [wasInWork, setWasInWork] = useState(false);
  if (count > 0 && !wasInWork) setWasInWork(true);
  if (count === 0 && wasInWork && onAgain)
    return (
      <Group gap="sm" role="status">
        <Text fz="sm">{t("chat.readNow")}</Text>
        <Button size="xs" variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={onAgain}>
          {t("chat.askAgain")}
        </Button>
      </Group>
    );
  if (count === 0) return null;
  return (
    <Text fz="sm" className={classes.note} role="status">
      <Loader size={14} aria-hidden /> {t(isMore ? "chat.inWorkMany" : "chat.inWork", { count })}
    </Text>
  );
}

async function count(status: "queued" | "running"): Promise<Counted> {
  const { documents, next } = await ok(api.GET("/api/documents", { params: { query: { status, limit: COUNTED } } }));
  return { count: documents.length, isMore: next !== null };
}
