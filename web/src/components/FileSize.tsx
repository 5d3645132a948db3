import { useLanguage } from "../i18n";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Returns a size as people read it: 3.4 MB. */
export function sizeText(bytes: number, language: string): string {
  // By 1024, as limits are counted.
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const size = bytes / 1024 ** power;
  return format(language, power, power && size < 100 ? 1 : 0).format(size);
}

const made = new Map<string, Intl.NumberFormat>();

/** Making a format costs more than a hundred uses of it, and lists have a size in each row. */
function format(language: string, power: number, digits: number): Intl.NumberFormat {
  const key = `${language} ${power} ${digits}`;
  const options = { style: "unit", unit: UNITS[power]!, unitDisplay: power ? "short" : "long", maximumFractionDigits: digits } as const;
  const found = made.get(key) ?? new Intl.NumberFormat(language, options);
  made.set(key, found);
  return found;
}

/** A size in bytes. */
export function FileSize({ bytes }: { bytes: number }) {
  const { language } = useLanguage();
  return <>{sizeText(bytes, language)}</>;
}
