import { Group, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { memo, useState } from "react";
import { useMessages } from "../../i18n";
import { AnswerView } from "./AnswerView";
import type { Place } from "./citations";
import type { AskedFile, Exchange, Round } from "./exchange";
import { IconButton } from "./IconButton";
import { QuestionView } from "./QuestionView";
import classes from "./thread.module.css";

interface Props {
  round: Round;
  isBusy: boolean;
  onAsk: (question: string, files: readonly AskedFile[]) => void;
  onPlace: (place: Place) => void;
  onChange: (exchange: Exchange, what: Partial<Exchange>) => void;
}

/** A question with its answer; of one that was asked again, the newest, and a way to those before. */
function RoundView({ round, isBusy, onAsk, onPlace, onChange }: Props) {
  const t = useMessages();
  const { versions } = round;
  const count = versions.length;
  const [chosen, setChosen] = useState({ count, at: count - 1 });
  // A new answer is the one to be seen.
  const at = chosen.count === count ? chosen.at : count - 1;
  const exchange = versions[at]!;
  const choose = (next: number) => setChosen({ count, at: next });
  return (
    <article className={classes.inner}>
      <QuestionView exchange={exchange} isBusy={isBusy} onAsk={(question) => onAsk(question, exchange.files)} />
      {count > 1 && (
        <Group gap={2} className={classes.versions}>
          <IconButton label={t("chat.versionBefore")} icon={IconChevronLeft} onClick={() => choose(at - 1)} disabled={at === 0} />
          <Text fz="xs" c="dimmed" aria-live="polite">
            {t("chat.version", { number: at + 1, count })}
          </Text>
          <IconButton label={t("chat.versionAfter")} icon={IconChevronRight} onClick={() => choose(at + 1)} disabled={at === count - 1} />
        </Group>
      )}
      <AnswerView
        key={exchange.key}
        exchange={exchange}
        isBusy={isBusy}
        onPlace={onPlace}
        onAgain={() => onAsk(exchange.question, exchange.files)}
        onChange={onChange}
      />
    </article>
  );
}

const Memo = memo(RoundView, (before, now) => {
  const { round: one, ...others } = before;
  const { round: other, ...rest } = now;
  const isSame = one.versions.length === other.versions.length && one.versions.every((each, at) => each === other.versions[at]);
  return isSame && Object.entries(others).every(([name, value]) => rest[name as keyof typeof rest] === value);
});

export { Memo as RoundView };
