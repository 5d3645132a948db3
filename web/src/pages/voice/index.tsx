import { Anchor, Button, Text, VisuallyHidden } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "react-router";
import { api, ok } from "../../api/client";
import { Page } from "../../components/Page";
import { useMessages, useSentence } from "../../i18n";
import type { CallView, VoiceCall } from "../../voice/call";
import { Controls } from "./Controls";
import { Conversation } from "./Conversation";
import { FaultNote } from "./FaultNote";
import { Orb } from "./Orb";
import { useCall } from "./useCall";
import classes from "./voice.module.css";

const DEFAULT = "default-assistant";
const ASSISTANT = "aura.voice.assistant";

/** A spoken conversation: one button, what is happening in words, and what was said. */
export default function Voice() {
  const t = useMessages();
  const [assistantKey, setAssistantKey] = useState(() => localStorage.getItem(ASSISTANT) ?? DEFAULT);
  const [round, setRound] = useState(0);
  const { call, view } = useCall(assistantKey, round);
  const { data } = useQuery({
    queryKey: ["assistants", "choice"],
    queryFn: () => ok(api.GET("/api/agents", { params: { query: { limit: 100 } } })),
  });
  const assistants = data?.agents ?? [];
  const assistant = assistants.find(({ assistant_key }) => assistant_key === assistantKey);
  useEffect(() => {
    // The one of last time may be gone.
    if (data && !assistant) setAssistantKey(DEFAULT);
  }, [data, assistant]);
  const chosen = (key: string) => {
    localStorage.setItem(ASSISTANT, key);
    setAssistantKey(key);
  };
  useSpaceBar(call, view);
  const actions = view.conversationId ? (
    <>
      {view.phase === "idle" && (
        <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setRound(round + 1)}>
          {t("voice.newConversation")}
        </Button>
      )}
      <Anchor component={Link} to={`/app/chat/${view.conversationId}`} fz="sm" px="xs">
        {t("voice.inChat")}
      </Anchor>
    </>
  ) : undefined;
  return (
    <Page title={t("voice.title")} text={t("voice.text")} actions={actions}>
      <div className={classes.page}>
        <section className={classes.stage} aria-label={t("voice.title")}>
          <Orb call={call} view={view} />
          <Status view={view} greeting={assistant?.greeting ?? ""} />
          <FaultNote fault={view.fault} />
          <Controls call={call} view={view} assistants={assistants} assistantKey={assistantKey} onAssistant={chosen} />
          {view.recordedDays > 0 && (
            <Text fz="xs" c="dimmed" ta="center" role="status">
              {t("voice.recorded", { count: view.recordedDays })}
            </Text>
          )}
        </section>
        <Conversation view={view} assistant={assistant?.name ?? assistantKey} />
      </div>
    </Page>
  );
}

/** What is happening, in words: read out at each change, with the answer once it is whole. */
function Status({ view, greeting }: { view: CallView; greeting: string }) {
  const t = useMessages();
  const sentence = useSentence();
  const { phase, isMuted, isPushToTalk, isTalking, partial, turns, remark } = view;
  const isWaiting = phase === "listening";
  const name = isWaiting && isMuted ? "muted" : isWaiting && isPushToTalk ? "hold" : phase;
  const words = isPushToTalk && isTalking ? t("voice.release") : t(`voice.${name}`);
  const last = turns.at(-1);
  // Whoever cannot be heard cannot interrupt, and whoever holds a key is not told to pause.
  const isByKey = isPushToTalk && (phase === "speaking" || phase === "hearing");
  const hinted = phase === "speaking" && isMuted ? "muted" : isByKey ? "hold" : name;
  const hint = (remark && sentence(remark)) || (phase === "idle" && greeting && !view.fault ? greeting : t(`voice.${hinted}Hint`));
  return (
    <>
      <div className={classes.status}>
        <div className={classes.state} role="status">
          {words}
        </div>
        <Text c="dimmed" fz="sm" ta="center" className={classes.hint} data-partial={partial.text ? true : undefined}>
          {partial.text || hint}
        </Text>
      </div>
      <VisuallyHidden aria-live="polite">
        {last?.question && <p>{t("voice.said", { who: t("voice.you") }) + " " + last.question}</p>}
        {/* The answer is heard; it is read out where it was not spoken to its end. */}
        {last?.state === "failed" && <p>{sentence(last)}</p>}
      </VisuallyHidden>
    </>
  );
}

/** Talks while the space bar is held, wherever the focus is but in a field. */
function useSpaceBar(call: VoiceCall, view: CallView): void {
  const isOn = view.isPushToTalk && view.phase !== "idle";
  useEffect(() => {
    if (!isOn) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.code !== "Space" || isField(event.target)) return;
      event.preventDefault();
      if (!event.repeat) call.talk(event.type === "keydown");
    };
    const left = () => call.talk(false);
    window.addEventListener("keydown", pressed);
    window.addEventListener("keyup", pressed);
    window.addEventListener("blur", left);
    return () => {
      window.removeEventListener("keydown", pressed);
      window.removeEventListener("keyup", pressed);
      window.removeEventListener("blur", left);
    };
  }, [call, isOn]);
}

/** Whether a key press belongs to what has the focus: fields, and buttons that are none of the big one. */
function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches("input, textarea, select, summary, a, [role=option]") || (target instanceof HTMLButtonElement && !target.dataset.phase);
}
