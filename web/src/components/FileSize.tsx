import { useLanguage } from "../i18n";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Returns a size as people read it: 3.4 MB. */
export function sizeText(bytes: number, language: string): string {
  // By 1024, as limits are counted.
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const options = { style: "unit", unit: UNITS[power]!, unitDisplay: power ? "short" : "long" } as const;
  const size = bytes / 1024 ** power;
  const digits = power && size < 100 ? 1 : 0;
  return size.toLocaleString(language, { ...options, maximumFractionDigits: digits });
}

/** A size in bytes. */
export function FileSize({ bytes }: { bytes: number }) {
  const { language } = useLanguage();
  return <>{sizeText(bytes, language)}</>;
}
