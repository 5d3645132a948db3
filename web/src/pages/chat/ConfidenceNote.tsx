import { Tooltip } from "@mantine/core";
import { useLanguage, useMessages } from "../../i18n";
import classes from "./answer.module.css";
import { confidence, type Exchange } from "./exchange";

const BARS = { low: 1, medium: 2, high: 3 } as const;

/** How sure an answer is: in words, with as many bars, and not by colour alone. */
export function ConfidenceNote({ exchange }: { exchange: Exchange }) {
  const t = useMessages();
  const { language } = useLanguage();
  const sure = confidence(exchange);
  if (!sure) return null;
  const share = (exchange.answer?.context_confidence ?? 0).toLocaleString(language, { style: "percent" });
  return (
    <Tooltip label={t(`chat.${sure}Text`, { share })} multiline maw={280} events={{ hover: true, focus: true, touch: true }}>
      <span className={classes.confidence} data-confidence={sure} tabIndex={0}>
        <span className={classes.bars} aria-hidden>
          {[1, 2, 3].map((bar) => (
            <span key={bar} data-on={bar <= BARS[sure] || undefined} />
          ))}
        </span>
        {t(`chat.${sure}`)}
      </span>
    </Tooltip>
  );
}
