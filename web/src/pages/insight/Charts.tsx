import { Anchor, Button } from "@mantine/core";
import { IconChartDots } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, ok, type Schemas } from "../../api/client";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Figure, Figures } from "../../components/Panel";
import { useMessages } from "../../i18n";
import { Chart } from "./Chart";
import { everyDay, momentByDay, stacked, waterfall } from "./figures";
import classes from "./insight.module.css";
import { useNumbers } from "./numbers";
import { Areas, Bars, Lines } from "./pictures";
import { ByAssistant, Costs } from "./Sharing";

const NONE: Omit<Schemas["TurnsOfDay"], "day"> = {
  turns: 0, completed: 0, failed: 0, cancelled: 0, spoken: 0, cache_hits: 0, unanswered: 0, liked: 0, disliked: 0, confidence: null,
};

interface Props {
  days: string[];
  /** The key of the one that is asked for; null for all. */
  assistant: string | null;
  /** What assistants are called, by their keys. */
  names: ReadonlyMap<string, string>;
  seesCosts: boolean;
}

/** All charts of some days; a chunk of its own, because of what draws them. */
export default function Charts({ days, assistant, names, seesCosts }: Props) {
  const t = useMessages();
  const query = { since: days[0]!, until: days.at(-1)!, assistant_key: assistant };
  const turns = useQuery({
    queryKey: ["insight", "turns", query],
    placeholderData: keepPreviousData,
    queryFn: () => ok(api.GET("/api/analytics/turns", { params: { query } })),
  });
  const latency = useQuery({
    queryKey: ["insight", "latency", query],
    placeholderData: keepPreviousData,
    queryFn: () => ok(api.GET("/api/analytics/latency", { params: { query: { ...query, kind: null } } })),
  });
  const error = turns.error ?? latency.error;
  if (error) return <ErrorNote error={error} onRetry={() => (void turns.refetch(), void latency.refetch())} />;
  if (!turns.data || !latency.data) return <Loading />;
  return (
    <>
      <Summary turns={turns.data} latency={latency.data} />
      {turns.data.total.turns === 0 && (
        <Empty icon={IconChartDots} title={t("insight.nothing")} text={t("insight.nothingText")}>
          <Button component={Link} to="/app/chat" variant="default">
            {t("nav.chat")}
          </Button>
        </Empty>
      )}
      <div className={classes.charts}>
        {turns.data.total.turns > 0 && (
          <>
            <Turns days={days} turns={turns.data} />
            <Moments days={days} latency={latency.data} />
            <Waterfall latency={latency.data} />
            <Confidence turns={turns.data} />
            <Sureness days={days} turns={turns.data} />
            <Kept days={days} turns={turns.data} />
            <Feedback days={days} turns={turns.data} />
            {assistant === null && <ByAssistant turns={turns.data} names={names} />}
          </>
        )}
        {seesCosts && <Costs query={query} days={days} />}
      </div>
    </>
  );
}

function Summary({ turns, latency }: { turns: Schemas["TurnCounts"]; latency: Schemas["Latencies"] }) {
  const t = useMessages();
  const { count, percent, ms } = useNumbers();
  const { total } = turns;
  const moment = (measure: string) => latency.overall.find((each) => each.stage === "turn" && each.measure === measure);
  const spoken = moment("speech_to_sound");
  const shown = spoken ?? moment("first_token");
  return (
    <Figures>
      <Figure label={t("insight.turns")} number={count(total.turns)} hint={t("insight.spokenOf", { count: total.spoken })} />
      <Figure
        label={t(spoken ? "insight.speechToSound" : "insight.firstToken")}
        number={ms(shown?.p50_ms ?? null)}
        hint={shown && `p95 ${ms(shown.p95_ms)}`}
      />
      <Figure label={t("insight.confidence")} number={total.confidence === null ? "–" : percent(total.confidence, 1)} />
      <Figure label={t("insight.cacheHits")} number={percent(total.cache_hits, total.completed)} hint={count(total.cache_hits)} />
      <Figure
        label={t("insight.unanswered")}
        number={count(total.unanswered)}
        hint={<Anchor component={Link} to="/app/knowledge/unanswered" fz="xs" underline="always">{t("insight.look")}</Anchor>}
      />
    </Figures>
  );
}

function Turns({ days, turns }: { days: string[]; turns: Schemas["TurnCounts"] }) {
  const t = useMessages();
  const { count } = useNumbers();
  const rows = everyDay(days, turns.by_day, NONE);
  const series = (["completed", "failed", "cancelled"] as const).map((key) => ({ key, label: t(`insight.${key}`) }));
  return (
    <Chart
      title={t("insight.turnsByDay")}
      text={t("insight.turnsText")}
      rows={rows}
      isEmpty={turns.total.turns === 0}
      columns={[{ label: t("insight.day"), value: (row) => row.day }, ...series.map(({ key, label }) => ({ label, value: (row: Schemas["TurnsOfDay"]) => count(row[key]) }))]}
    >
      <Areas rows={rows} series={series} at="day" write={count} isWhole />
    </Chart>
  );
}

function Moments({ days, latency }: { days: string[]; latency: Schemas["Latencies"] }) {
  const t = useMessages();
  const { ms } = useNumbers();
  const has = (measure: string) => latency.by_day.some((row) => row.stage === "turn" && row.measure === measure);
  const measure = has("speech_to_sound") ? "speech_to_sound" : "first_token";
  const rows = momentByDay(days, latency.by_day, measure);
  const name = t(measure === "speech_to_sound" ? "insight.speechToSound" : "insight.firstToken");
  return (
    <Chart
      title={t("insight.latencyByDay")}
      text={name}
      rows={rows}
      isEmpty={!has(measure)}
      columns={[
        { label: t("insight.day"), value: (row) => row.day },
        { label: "p50", value: (row) => ms(row.p50_ms) },
        { label: "p95", value: (row) => ms(row.p95_ms) },
      ]}
    >
      <Lines rows={rows} series={[{ key: "p50_ms", label: "p50" }, { key: "p95_ms", label: "p95" }]} at="day" write={ms} />
    </Chart>
  );
}

function Waterfall({ latency }: { latency: Schemas["Latencies"] }) {
  const t = useMessages();
  const { ms } = useNumbers();
  const parts = waterfall(latency.overall);
  const label = (part: { stage: string; measure: "queued" | "run" }) => `${t(`insight.stage_${part.stage as "generate"}`)}, ${t(`insight.${part.measure}`)}`;
  const series = parts.map((part) => ({ key: `${part.stage} ${part.measure}`, label: label(part) }));
  return (
    <Chart
      title={t("insight.waterfall")}
      text={t("insight.waterfallText")}
      rows={parts}
      isEmpty={parts.length === 0}
      columns={[
        { label: t("insight.stage"), value: label },
        { label: "p50", value: (part) => ms(part.p50_ms) },
        { label: "p95", value: (part) => ms(part.p95_ms) },
      ]}
    >
      <Bars rows={[stacked(parts, "p50_ms", "p50"), stacked(parts, "p95_ms", "p95")]} series={series} at="name" write={ms} isLying />
    </Chart>
  );
}

function Confidence({ turns }: { turns: Schemas["TurnCounts"] }) {
  const t = useMessages();
  const { count } = useNumbers();
  const rows = turns.confidences.map((answers, tenth) => ({ name: `${tenth * 10}–${tenth * 10 + 10} %`, answers }));
  return (
    <Chart
      title={t("insight.confidences")}
      text={t("insight.confidencesText")}
      rows={rows}
      isEmpty={turns.confidences.every((each) => each === 0)}
      columns={[{ label: t("insight.confidence"), value: (row) => row.name }, { label: t("insight.answers"), value: (row) => count(row.answers) }]}
    >
      <Bars rows={rows} series={[{ key: "answers", label: t("insight.answers") }]} at="name" write={count} isWhole />
    </Chart>
  );
}

function Sureness({ days, turns }: { days: string[]; turns: Schemas["TurnCounts"] }) {
  const t = useMessages();
  const { percent } = useNumbers();
  const rows = everyDay(days, turns.by_day, NONE);
  const write = (value: number) => percent(value, 1);
  return (
    <Chart
      title={t("insight.confidenceByDay")}
      text={t("insight.confidenceByDayText")}
      rows={rows}
      isEmpty={turns.total.confidence === null}
      columns={[
        { label: t("insight.day"), value: (row) => row.day },
        { label: t("insight.confidence"), value: (row) => (row.confidence === null ? "–" : write(row.confidence)) },
      ]}
    >
      <Lines rows={rows} series={[{ key: "confidence", label: t("insight.confidence") }]} at="day" write={write} />
    </Chart>
  );
}

function Feedback({ days, turns }: { days: string[]; turns: Schemas["TurnCounts"] }) {
  const t = useMessages();
  const { count } = useNumbers();
  const rows = everyDay(days, turns.by_day, NONE);
  const series = (["liked", "disliked"] as const).map((key) => ({ key, label: t(`insight.${key}`) }));
  return (
    <Chart
      title={t("insight.feedback")}
      text={t("insight.feedbackText")}
      rows={rows}
      isEmpty={turns.total.liked + turns.total.disliked === 0}
      columns={[{ label: t("insight.day"), value: (row) => row.day }, ...series.map(({ key, label }) => ({ label, value: (row: Schemas["TurnsOfDay"]) => count(row[key]) }))]}
    >
      <Bars rows={rows} series={series} at="day" write={count} isWhole />
    </Chart>
  );
}

function Kept({ days, turns }: { days: string[]; turns: Schemas["TurnCounts"] }) {
  const t = useMessages();
  const { count } = useNumbers();
  const rows = everyDay(days, turns.by_day, NONE);
  const series = (["cache_hits", "unanswered"] as const).map((key) => ({ key, label: t(key === "cache_hits" ? "insight.cacheHits" : "insight.unanswered") }));
  return (
    <Chart
      title={t("insight.kept")}
      text={t("insight.keptText")}
      rows={rows}
      isEmpty={turns.total.cache_hits + turns.total.unanswered === 0}
      columns={[{ label: t("insight.day"), value: (row) => row.day }, ...series.map(({ key, label }) => ({ label, value: (row: Schemas["TurnsOfDay"]) => count(row[key]) }))]}
    >
      <Lines rows={rows} series={series} at="day" write={count} isWhole />
    </Chart>
  );
}
