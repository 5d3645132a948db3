import { Progress } from "@mantine/core";
import { useMessages } from "../../i18n";

interface Props {
  ready: number;
  /** What is on its way; a part of a file counts as that part. */
  inWork: number;
  bad: number;
  total: number;
}

/** How far files are together: from the left what is ready, then what is on its way, and at the right what failed. */
export function Bar({ ready, inWork, bad, total }: Props) {
  const t = useMessages();
  const share = (count: number) => (100 * count) / Math.max(1, total);
  return (
    <Progress.Root size={8}>
      <Progress.Section value={share(ready)} color="teal" aria-label={t("knowledge.readyOf", { ready, total })} />
      <Progress.Section value={share(inWork)} color="teal.3" aria-hidden />
      <Progress.Section value={share(total - ready - inWork - bad)} color="transparent" aria-hidden />
      <Progress.Section value={share(bad)} color="red" aria-hidden />
    </Progress.Root>
  );
}
