import { VisuallyHidden } from "@mantine/core";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useMessages, useSentence } from "../../i18n";
import { beginning } from "./citations";
import { type Exchange, isOpen } from "./exchange";

/** What is longer is read on the page itself. */
const SAID_CHARS = 600;

/** Says to a screen reader what became of a question, once, when it is over: not each word as it comes. */
export function Announcer({ exchanges }: { exchanges: readonly Exchange[] }) {
  const t = useMessages();
  const sentence = useSentence();
  const [said, setSaid] = useState("");
  const open = useRef(new Set<string>());
  const look = useEffectEvent((all: readonly Exchange[]) => {
    for (const each of all) {
      if (isOpen(each)) open.current.add(each.key);
      else if (open.current.delete(each.key)) setSaid(ended(each));
    }
  });
  const ended = ({ state, text, problem }: Exchange) =>
    state === "stopped" ? t("chat.stopped") : state === "failed" ? `${t("common.failed")}. ${problem ? sentence(problem) : ""}` : t("chat.answered", { text: beginning(text, SAID_CHARS) });
  useEffect(() => look(exchanges), [exchanges]);
  return (
    <VisuallyHidden role="status" aria-live="polite" aria-atomic>
      {said}
    </VisuallyHidden>
  );
}
