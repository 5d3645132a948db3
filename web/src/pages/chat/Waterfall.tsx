import { Text } from "@mantine/core";
import { useState } from "react";
import { useLanguage, useMessages } from "../../i18n";
import classes from "./answer.module.css";
import type { Answer, Confidence } from "./exchange";
import { steps } from "./steps";

interface Props {
  answer: Answer;
  confidence: Confidence | null;
}

/** What an answer took, step by step: opened by whom it interests, and drawn for them alone. */
export function Waterfall({ answer, confidence }: Props) {
  const t = useMessages();
  const { language } = useLanguage();
  const [isOpen, setOpen] = useState(false);
  const total = answer.processing_time || steps(answer.timings).totalMs / 1000;
  const seconds = total.toLocaleString(language, { style: "unit", unit: "second", maximumFractionDigits: total < 10 ? 1 : 0 });
  return (
    <details className={classes.details} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("chat.took", { time: seconds })}</summary>
      {isOpen && <Steps answer={answer} confidence={confidence} />}
    </details>
  );
}

function Steps({ answer, confidence }: Props) {
  const t = useMessages();
  const { language } = useLanguage();
  const { rows } = steps(answer.timings);
  const ms = (value: number) => t("chat.ms", { value: Math.round(value).toLocaleString(language) });
  return (
    <table className={classes.waterfall}>
      <caption className={classes.caption}>
        {answer.cache.hit && `${t("chat.keptAnswer")} `}
        {answer.model_used && t("chat.writtenBy", { model: answer.model_used })}{" "}
        {confidence && t("chat.confidenceIs", { share: answer.context_confidence.toLocaleString(language, { style: "percent" }) })}{" "}
        {answer.cost > 0 && t("chat.costs", { cost: answer.cost.toLocaleString(language, { style: "currency", currency: "USD", maximumFractionDigits: 4 }) })}
      </caption>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">{row.sentence === null ? t(`chat.${row.step}`) : t("chat.synthesizeNumber", { number: row.sentence + 1 })}</th>
            <td className={classes.track} aria-hidden>
              <span style={{ left: `${row.left}%`, width: `${row.waited}%` }} data-waiting />
              <span style={{ left: `${row.left + row.waited}%`, width: `${row.ran}%` }} />
            </td>
            <td className={classes.ms}>{row.runMs === null ? ms(row.startMs) : ms(row.runMs)}</td>
            <td className={classes.ms}>
              {row.queuedMs !== null && row.queuedMs >= 1 && (
                <Text span fz="xs" c="dimmed">
                  {t("chat.waited", { time: ms(row.queuedMs) })}
                </Text>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
