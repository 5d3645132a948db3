import { Text } from "@mantine/core";
import { useLanguage, useMessages } from "../../i18n";
import type { MessageKey } from "../../i18n/catalogue";
import type { Timings } from "../../voice/messages";
import { type Step, type Waterfall, waterfall } from "./steps";
import classes from "./voice.module.css";

const ROW_PX = 22;
const BAR_PX = 10;
/** Sentences after these are left out: the first ones are what somebody waits for. */
const MOST_STEPS = 8;

const NAMES: Record<string, MessageKey> = {
  endpoint: "voice.timingEndpoint",
  transcribe: "voice.timingTranscribe",
  retrieve: "voice.timingRetrieve",
  generate: "voice.timingGenerate",
};

/** How long an answer took, opened by whoever wants to know: one bar for each step, as a list for who cannot see it. */
export function WaterfallChart({ timings }: { timings: Timings }) {
  const t = useMessages();
  const { language } = useLanguage();
  const found = waterfall(timings);
  if (!found) return null;
  const begin = Math.min(0, found.fromMs);
  const waited = found.firstSoundMs === null ? null : (found.firstSoundMs - begin) / 1000;
  return (
    <details className={classes.timing}>
      <summary>
        {waited === null ? t("voice.timing") : t("voice.timingShort", { seconds: waited.toLocaleString(language, { maximumFractionDigits: 1 }) })}
      </summary>
      <Bars found={found} />
      <Text fz="xs" c="dimmed" className={classes.legend}>
        <span data-part="queued">{t("voice.timingQueued")}</span>
        <span data-part="run">{t("voice.timingRun")}</span>
        {found.firstSoundMs !== null && <span data-part="sound">{t("voice.timingFirstAudio")}</span>}
      </Text>
    </details>
  );
}

function Bars({ found }: { found: Waterfall }) {
  const t = useMessages();
  const { language } = useLanguage();
  const span = found.toMs - found.fromMs || 1;
  const at = (ms: number) => `${(((ms - found.fromMs) / span) * 100).toFixed(2)}%`;
  const long = (ms: number) => `${Math.max(0.6, (ms / span) * 100).toFixed(2)}%`;
  const nameOf = ({ name }: Step) => {
    const sentence = /^synthesize_(\d+)$/.exec(name);
    return sentence ? t("voice.timingSynthesize", { number: Number(sentence[1]) + 1 }) : NAMES[name] ? t(NAMES[name]) : name;
  };
  return (
    <ul aria-label={t("voice.timingChart")} className={classes.chart}>
      {found.steps.slice(0, MOST_STEPS).map((step) => (
        <li key={step.name} title={step.provider}>
          <span>{nameOf(step)}</span>
          <svg height={ROW_PX} width="100%" aria-hidden>
            {step.queuedMs > 0 && <rect data-part="queued" x={at(step.startMs - step.queuedMs)} y={6} width={long(step.queuedMs)} height={BAR_PX} rx={3} />}
            <rect data-part="run" x={at(step.startMs)} y={6} width={long(step.runMs)} height={BAR_PX} rx={3} />
            {found.firstSoundMs !== null && <line data-part="sound" x1={at(found.firstSoundMs)} x2={at(found.firstSoundMs)} y1={0} y2={ROW_PX} />}
          </svg>
          <span>{Math.round(step.runMs).toLocaleString(language)} ms</span>
        </li>
      ))}
    </ul>
  );
}
