import { Button, Group, Loader, Text } from "@mantine/core";
import { IconPlayerStop, IconRefresh, IconWifiOff } from "@tabler/icons-react";
import { lazy, Suspense, useMemo } from "react";
import { useMe } from "../../api/me";
import { useMessages, useSentence } from "../../i18n";
import classes from "./answer.module.css";
import { citations, placeOf, type Place, withoutMarkers } from "./citations";
import { ConfidenceNote } from "./ConfidenceNote";
import { confidence, type Exchange, isOpen } from "./exchange";
import { InWork } from "./InWork";
import { Rating } from "./Rating";
import { Teach } from "./Teach";
import { IconButton } from "./IconButton";
import { CopyIcon } from "./CopyIcon";
import { Waterfall } from "./Waterfall";

const Markdown = lazy(() => import("./Markdown"));

interface Props {
  exchange: Exchange;
  isBusy: boolean;
  onPlace: (place: Place) => void;
  onAgain: () => void;
  onChange: (exchange: Exchange, what: Partial<Exchange>) => void;
}

/** An answer, as it comes and when it is whole: what it says, where that stands, how sure it is, what to do with it. */
export function AnswerView({ exchange, isBusy, onPlace, onAgain, onChange }: Props) {
  const t = useMessages();
  const sentence = useSentence();
  const { text, answer, state, found } = exchange;
  const cited = useMemo(() => citations(answer?.citations ?? []), [answer]);
  const isWhole = answer !== null && !isOpen(exchange);
  return (
    <div className={classes.answer} aria-busy={isOpen(exchange)}>
      <Progress exchange={exchange} />
      {text && (
        <Suspense fallback={<div className={classes.plain}>{withoutMarkers(text)}</div>}>
          <Markdown text={text} citations={cited} isWriting={!isWhole} onCite={onPlace} />
        </Suspense>
      )}
      {state === "stopped" && (
        <Text fz="sm" c="dimmed" className={classes.note}>
          <IconPlayerStop size={16} aria-hidden /> {t("chat.stopped")}
        </Text>
      )}
      {exchange.problem && (
        <div role="alert" className={classes.problem}>
          <Text fz="sm">{sentence(exchange.problem)}</Text>
          <Button size="xs" variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={onAgain} disabled={isBusy}>
            {t("chat.askAgain")}
          </Button>
        </div>
      )}
      {cited.size > 0 && (
        <ul className={classes.sources} aria-label={t("chat.sources")}>
          {[...cited.values()].map((each) => (
            <li key={each.number}>
              <Source number={each.number} place={each} onPlace={onPlace} />
            </li>
          ))}
        </ul>
      )}
      {isWhole && exchange.unansweredId && cited.size === 0 && (
        <NotAnswered exchange={exchange} places={found.map(placeOf)} onPlace={onPlace} onAgain={onAgain} />
      )}
      {(isWhole || state === "stopped") && (
        <Group gap={4} className={classes.actions}>
          <ConfidenceNote exchange={exchange} />
          {text && <CopyIcon text={withoutMarkers(text)} label={t("chat.copyAnswer")} />}
          <IconButton label={t("chat.regenerate")} icon={IconRefresh} onClick={onAgain} disabled={isBusy} />
          {isWhole && <Rating exchange={exchange} onChange={onChange} />}
        </Group>
      )}
      {isWhole && <Waterfall answer={answer} confidence={confidence(exchange)} />}
    </div>
  );
}

function Progress({ exchange }: { exchange: Exchange }) {
  const t = useMessages();
  if (!isOpen(exchange)) return null;
  if (!exchange.isConnected)
    return (
      <Text fz="sm" className={classes.note} c="dimmed">
        <IconWifiOff size={16} aria-hidden /> {t("chat.reconnecting")}
      </Text>
    );
  if (exchange.text) return null;
  return (
    <Text fz="sm" className={classes.note} c="dimmed">
      <Loader size={14} aria-hidden /> {t(exchange.state === "writing" ? "chat.writing" : "chat.searching")}
    </Text>
  );
}

function Source({ number, place, onPlace }: { number?: number; place: Place; onPlace: (place: Place) => void }) {
  const t = useMessages();
  return (
    <button type="button" className={classes.source} onClick={() => onPlace(place)}>
      {number && (
        <span className={classes.chip} aria-hidden>
          {number}
        </span>
      )}
      <span className={classes.sourceName}>{place.filename}</span>
      {place.page && <span className={classes.sourcePage}>{t("chat.page", { page: place.page })}</span>}
    </button>
  );
}

interface NotAnsweredProps {
  exchange: Exchange;
  places: readonly Place[];
  onPlace: (place: Place) => void;
  onAgain: () => void;
}

function NotAnswered({ exchange, places, onPlace, onAgain }: NotAnsweredProps) {
  const t = useMessages();
  const { can } = useMe();
  return (
    <div className={classes.unanswered}>
      <InWork onAgain={onAgain} />
      <Text fz="sm" fw={550}>
        {t(places.length > 0 ? "chat.nearest" : "chat.nothingFound")}
      </Text>
      {places.length > 0 && (
        <ul className={classes.nearest}>
          {places.map((place) => (
            <li key={`${place.documentId} ${place.chunkId}`}>
              <Source place={place} onPlace={onPlace} />
              <Text fz="sm" c="dimmed" lineClamp={2}>
                {place.quote}
              </Text>
            </li>
          ))}
        </ul>
      )}
      {(can("ai:write") || can("documents:write")) && (
        <Text fz="sm" c="dimmed">
          {[can("ai:write") && t("chat.teachHint"), can("documents:write") && t("chat.dropHint")].filter(Boolean).join(" ")}
        </Text>
      )}
      {can("ai:write") && <Teach exchange={exchange} onTaught={onAgain} />}
    </div>
  );
}
