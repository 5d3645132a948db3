import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { type Catalogue, sayer, type Said, type Translate, translator } from "./catalogue";
import { account } from "./en/account";
import { common } from "./en/common";
import { home } from "./en/home";
import { nav } from "./en/nav";

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

/** What the first pages say. All other messages come with the first area that is opened. */
const english = { account, common, home, nav } as unknown as Catalogue;

/** Has every English message there. Another language comes as a whole. */
export async function allMessages(): Promise<void> {
  Object.assign(english, (await import("./en")).en);
}

const KEY = "aura.language";

interface Messages {
  language: Language;
  setLanguage: (language: Language) => void;
  t: Translate;
  sentence: (said: Said) => string;
}

/** Another language than English: its messages, and what it says of the API's errors. */
interface Other {
  messages: Catalogue;
  problems: Readonly<Record<string, string>>;
}

const Context = createContext<Messages>({ language: "en", setLanguage: () => undefined, t: translator(english, "en"), sentence: sayer() });

/** Returns what writes messages in the user's language: `const t = useMessages(); t("chat.send")`. */
export function useMessages(): Translate {
  return useContext(Context).t;
}

/** Returns what says an error of the API in the user's language: `const sentence = useSentence(); sentence(problem)`. */
export function useSentence(): (said: Said) => string {
  return useContext(Context).sentence;
}

/** Returns the user's language, as a BCP 47 tag for `Intl`, and what changes it. */
export function useLanguage(): Pick<Messages, "language" | "setLanguage"> {
  return useContext(Context);
}

/** Gives all below it the messages; English is there at once, another language once it is loaded. */
export function MessagesProvider({ meanwhile, children }: { meanwhile?: ReactNode; children: ReactNode }) {
  const [language, setLanguage] = useState(preferred);
  const [other, setOther] = useState<Other | null>(null);
  useEffect(() => {
    localStorage.setItem(KEY, language);
    if (language === "en") return setOther(null);
    let isWanted = true;
    void import("./de").then(({ de, problems }) => isWanted && setOther({ messages: de, problems }));
    return () => void (isWanted = false);
  }, [language]);
  const isThere = language === "en" || other !== null;
  const messages = useMemo(() => {
    const shown: Language = isThere ? language : "en";
    const t = translator(shown === "en" ? english : other!.messages, shown);
    const say = sayer(shown === "en" ? {} : other!.problems);
    const sentence = (said: Said) => (said.code === "offline" ? t("common.offline") : say(said));
    return { language: shown, setLanguage, t, sentence };
  }, [isThere, language, other]);
  useEffect(() => void (document.documentElement.lang = messages.language), [messages.language]);
  return isThere ? <Context value={messages}>{children}</Context> : meanwhile;
}

function preferred(): Language {
  const wanted = localStorage.getItem(KEY) ?? navigator.language.slice(0, 2);
  return wanted in LANGUAGES ? (wanted as Language) : "en";
}
