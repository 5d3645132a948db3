import { useMessages } from "../i18n";
import classes from "./components.module.css";

const TONES = {
  processed: "good",
  completed: "good",
  active: "good",
  queued: "calm",
  running: "busy",
  paused: "calm",
  cancelled: "calm",
  inactive: "calm",
  failed: "bad",
} as const;

export type State = keyof typeof TONES;

/** Where something stands, by a word and a dot. `label` says it otherwise; a state that is not known is shown as it is. */
export function StateBadge({ state, label }: { state: State | (string & {}); label?: string }) {
  const t = useMessages();
  const isKnown = state in TONES;
  const words = label ?? (state === "failed" ? t("common.failedState") : isKnown ? t(`common.${state as Exclude<State, "failed">}`) : state);
  return (
    <span className={classes.state} data-tone={isKnown ? TONES[state as State] : "calm"}>
      {words}
    </span>
  );
}
