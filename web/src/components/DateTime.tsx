import { Tooltip } from "@mantine/core";
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
  const exact = moment.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  if (isExact) return <time dateTime={at}>{exact}</time>;
  return (
    <Tooltip label={exact}>
      <time dateTime={at}>{said(moment, language)}</time>
    </Tooltip>
  );
}

function said(moment: Date, language: string): string {
  const seconds = (moment.getTime() - Date.now()) / 1000;
  if (Math.abs(seconds) > OLD_S) return moment.toLocaleDateString(language, { dateStyle: "medium" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return unit === "second" ? relative.format(0, "second") : relative.format(Math.round(seconds / size), unit);
}
