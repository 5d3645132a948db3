import { useLanguage } from "../../i18n";

/** Returns what writes figures in the user's language. */
export function useNumbers() {
  const { language } = useLanguage();
  return {
    count: (value: number) => value.toLocaleString(language),
    percent: (part: number, whole: number) => (whole ? (part / whole).toLocaleString(language, { style: "percent", maximumFractionDigits: 1 }) : "–"),
    ms: (value: number | null) =>
      value === null ? "–" : value >= 1000 ? `${(value / 1000).toLocaleString(language, { maximumFractionDigits: 1 })} s` : `${Math.round(value).toLocaleString(language)} ms`,
    dollars: (value: number) => value.toLocaleString(language, { style: "currency", currency: "USD", maximumFractionDigits: value && value < 1 ? 4 : 2 }),
  };
}
