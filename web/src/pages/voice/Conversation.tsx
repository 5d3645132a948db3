import { Text, Title } from "@mantine/core";
import { IconQuote } from "@tabler/icons-react";
import { Fragment, type ReactNode, useEffect, useRef, useState } from "react";
import { Empty } from "../../components/Empty";
import { useMessages, useSentence } from "../../i18n";
import type { CallView } from "../../voice/call";
import type { Citation } from "../../voice/messages";
import type { Turn } from "../../voice/transcript";
import { SourceView } from "./SourceView";
import { WaterfallChart } from "./WaterfallChart";
import classes from "./voice.module.css";

/** What was said on both sides, the newest below, and what is being said now. */
export function Conversation({ view, assistant }: { view: CallView; assistant: string }) {
  const t = useMessages();
  const box = useRef<HTMLDivElement>(null);
  const [cited, setCited] = useState<Citation | null>(null);
  const { turns, partial } = view;
  const last = turns.at(-1);
  useEffect(() => {
    // The list alone: the page would take the button away from whoever talks on a phone.
    box.current!.scrollTop = box.current!.scrollHeight;
  }, [turns.length, last?.answer, partial.text]);
  const isSpeaking = view.phase === "speaking";
  return (
    <section className={classes.conversation} aria-labelledby="voice-transcript">
      <Title order={2} id="voice-transcript" className={classes.conversationTitle}>
        {t("voice.transcript")}
      </Title>
      {/* Focusable, so that it can be scrolled by key. */}
      <div ref={box} className={classes.turns} role="log" aria-live="off" aria-labelledby="voice-transcript" tabIndex={0}>
        {turns.length === 0 && !partial.text && <Empty icon={IconQuote} title={t("voice.nothingYet")} text={t("voice.empty")} />}
        {turns.map((turn) => (
          <OneTurn key={turn.id} turn={turn} assistant={assistant} isSpoken={isSpeaking && turn === last} onCited={setCited} />
        ))}
        {partial.text && (
          <p className={classes.question} data-partial aria-hidden>
            {partial.stable}
            <span>{partial.text.slice(partial.stable.length)}</span>
          </p>
        )}
      </div>
      <SourceView citation={cited} onClose={() => setCited(null)} />
    </section>
  );
}

interface TurnProps {
  turn: Turn;
  assistant: string;
  isSpoken: boolean;
  onCited: (citation: Citation) => void;
}

function OneTurn({ turn, assistant, isSpoken, onCited }: TurnProps) {
  const t = useMessages();
  const sentence = useSentence();
  const { question, answer, citations, state, detail, timings } = turn;
  return (
    <article className={classes.turn}>
      {question && (
        <p className={classes.question}>
          <span className={classes.who}>{t("voice.said", { who: t("voice.you") })} </span>
          {question}
        </p>
      )}
      {(answer || state === "failed") && (
        <div className={classes.answer} data-spoken={isSpoken || undefined}>
          <span className={classes.name}>
            {assistant}
            {isSpoken && <span className={classes.mouth} aria-hidden />}
            {state === "cut" && <em>{t("voice.cut")}</em>}
          </span>
          {answer && <div className={classes.words}>{withMarkers(answer, citations, onCited, t)}</div>}
          {detail && (
            <Text fz="sm" c="var(--mantine-color-error)">
              {sentence(turn)}
            </Text>
          )}
          {timings && <WaterfallChart timings={timings} />}
        </div>
      )}
    </article>
  );
}

/** Returns an answer with its markers such as [2] as buttons. */
function withMarkers(answer: string, citations: readonly Citation[], onCited: TurnProps["onCited"], t: ReturnType<typeof useMessages>): ReactNode[] {
  return answer.split(/(\[\d+\])/).map((piece, index) => {
    const number = Number(/^\[(\d+)\]$/.exec(piece)?.[1]);
    const citation = citations.find((one) => one.number === number);
    if (!citation) return <Fragment key={index}>{piece}</Fragment>;
    const label = t("voice.source", { number, name: citation.filename ?? "" });
    return (
      <button key={index} type="button" className={classes.marker} aria-label={label} title={label} onClick={() => onCited(citation)}>
        {number}
      </button>
    );
  });
}
