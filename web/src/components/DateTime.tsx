import { useLanguage, useMessages } from "../i18n";

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const OLD_S = 6 * 86_400;

/** A moment as people say it ("3 hours ago", older ones by date); the exact one on hovering. `null`: never. */
export function DateTime({ at, isExact = false }: { at: string | null | undefined; isExact?: boolean }) {
  const t = useMessages();
  const { language } = useLanguage();
  if (!at) return <>{t("common.never")}</>;
  const moment = new Date(at);
  const exact = formats(language).exact.format(moment);
  if (isExact) return <time dateTime={at}>{exact}</time>;
  return (
    <time dateTime={at} title={exact}>
      {said(moment, language)}
    </time>
  );
}

function said(moment: Date, language: string): string {
  const seconds = (moment.getTime() - Date.now()) / 1000;
  const { date, relative } = formats(language);
  if (Math.abs(seconds) > OLD_S) return date.format(moment);
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return unit === "second" ? relative.format(0, "second") : relative.format(Math.round(seconds / size), unit);
}

const made = new Map<string, ReturnType<typeof make>>();

/** Making a format costs more than a hundred uses of it, and lists have a moment in each row. */
function formats(language: string) {
  const found = made.get(language) ?? make(language);
  made.set(language, found);
  return found;
}

function make(language: string) {
  return {
    exact: new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }),
    date: new Intl.DateTimeFormat(language, { dateStyle: "medium" }),
    relative: new Intl.RelativeTimeFormat(language, { numeric: "auto" }),
  };
}
