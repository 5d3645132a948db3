import { Select } from "@mantine/core";
import { useLanguage } from "../../i18n";

const LANGUAGES = ["ar", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "hu", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh"];

interface Props {
  label: string;
  placeholder: string;
  value: string | null | undefined;
  onChange: (language: string | null) => void;
}

/** Chooses a language by its name in the reader's own; one that is set and not among these stays. */
export function LanguageSelect({ label, placeholder, value, onChange }: Props) {
  const { language } = useLanguage();
  const names = new Intl.DisplayNames([language], { type: "language" });
  const tags = value && !LANGUAGES.includes(value) ? [value, ...LANGUAGES] : LANGUAGES;
  const data = tags.map((tag) => ({ value: tag, label: names.of(tag) ?? tag })).sort((one, other) => one.label.localeCompare(other.label, language));
  return <Select label={label} placeholder={placeholder} data={data} value={value ?? null} onChange={onChange} searchable clearable />;
}
