"""The rules by which wishes are found in what people say: English, and the commonest in German, French, Spanish."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.turn.prompting.persona import LANGUAGES

LITTLE, MUCH = 0.15, 0.85
"""What a wish for less, or for more, of a trait sets it to."""


@dataclass(frozen=True)
class Rule:
    """A pattern, the preference it speaks of, and what reads its value: None where it is none after all."""

    key: str
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], Any]
    lasting: bool = True


STANDING = re.compile(
    r"\b(?:always|from now on|in (?:the )?future|every time|all (?:your |my )?answers|i (?:always )?prefer|immer"
    r"|ab jetzt|in zukunft|toujours|désormais|siempre)\b",
    re.IGNORECASE,
)
ONE_OFF = re.compile(
    r"\b(?:this time|(?:just )?(?:for )?(?:this|one) (?:once|time|answer|question)|just (?:now|once)|only once|diesmal"
    r"|nur (?:dieses mal|einmal)|cette fois|esta vez)\b",
    re.IGNORECASE,
)

_NAMES = {name.lower(): tag for tag, name in LANGUAGES.items()} | {
    **{"deutsch": "de", "allemand": "de", "alemán": "de", "mandarin": "zh", "chinesisch": "zh"},
    **{"englisch": "en", "anglais": "en", "inglés": "en", "ingles": "en"},
    **{"französisch": "fr", "français": "fr", "francais": "fr", "francés": "fr"},
    **{"spanisch": "es", "español": "es", "espanol": "es", "espagnol": "es", "castellano": "es"},
    **{"italienisch": "it", "italiano": "it", "italien": "it", "portugiesisch": "pt", "português": "pt"},
    **{"niederländisch": "nl", "nederlands": "nl", "polnisch": "pl", "polski": "pl", "türkisch": "tr"},
    **{"russisch": "ru", "japanisch": "ja", "schwedisch": "sv", "svenska": "sv", "dansk": "da"},
}
_LANG = rf"(?P<lang>{'|'.join(sorted(map(re.escape, _NAMES), key=len, reverse=True))})\b(?!\s+(?:language )?\w+ing\b)"

# Where a wish may begin: at a clause, or after what only politely leads to it. "Does the staff speak in German"
# begins elsewhere.
_CLAUSE = (
    r"(?:^|(?<=[.!?;:,–—\n])|(?<=- )|\b(?:and|but|then|so|please|kindly|always|from now on,?|in future,?|this time,?)"
    r"(?=\s)"
    r"|\b(?:can|could|would|will) you(?= )|\bi(?:['’]d| would) like you to|\bi want you to|\byou (?:should|can|may)"
    r"|\b(?:und|bitte|ab jetzt)(?=\s))\s*(?:please\s+|kindly\s+|always\s+|just\s+|only\s+|also\s+|bitte\s+){0,3}"
)
_ANSWER = r"(?:answer|reply|respond|write|speak|talk|explain(?: (?:it|this|things|everything))?|tell me)"
_SHORT = (
    r"(?:shortly|briefly|concisely|succinctly|in (?:short|brief|few words|a few words)"
    # "Explain short circuits" asks for no short answer.
    r"|(?:short(?:er)?|brief(?:er)?|concise|succinct|crisp)(?=\s*(?:[.!?,:;–—]|$|(?:and|but|please|from now on)\b)))"
)
_LONG = r"(?:in (?:more |full |great(?:er)? |much )?(?:detail|depth)|at length|thoroughly|extensively|comprehensively)"
_ANSWERS = r"(?:answers?|replies|reply|responses?|explanations?)"
_PREFER = r"\bi(?:['’]d| would)?(?: always| really)? (?:prefer|like|want|need|love)"
_METRIC, _IMPERIAL = r"metric|SI", r"imperial|US customary|american"
_UNITS = rf"(?P<units>{_METRIC}|{_IMPERIAL})"


def _language(found: re.Match[str]) -> str | None:
    return _NAMES.get(found["lang"].lower())


def _units(found: re.Match[str]) -> str:
    return "metric" if re.fullmatch(_METRIC, found["units"], re.IGNORECASE) else "imperial"


_NAME = (
    r"(?P<name>(?-i:(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[^\W\d_a-z][\w'’-]{0,30}"
    r"(?: (?:(?:von|van|de|der|da|di|la) ){0,2}[^\W\d_a-z][\w'’-]{1,30}){0,2})(?![\w'’-])"
    r"|[^\W\d_][\w'’-]{1,30}(?=\s*(?:[.!?,;]|$|please\b|and\b|from now on\b|bitte\b|und\b)))"
)
_NO_NAMES = frozenset(
    (
        "a an the i it me my you your back later tomorrow today tonight again now when if at on in by before after "
        "asap anytime maybe crazy old stupid lazy please first instead names sir madam not never what whatever "
        "anything something soon out up for to about regarding with because morgen heute zurück später wieder an bitte "
        "nicht"
    ).split()
)


def _name(found: re.Match[str]) -> str | None:
    name = found["name"].strip(" '’-")
    words = name.lower().split()
    return None if len(name) > 60 or not name or words[0] in _NO_NAMES else name


def _rule(key: str, pattern: str, value: float | Callable[[re.Match[str]], Any], lasting: bool = True) -> Rule:
    read = value if callable(value) else lambda _: value
    return Rule(key, re.compile(pattern, re.IGNORECASE), read, lasting)


RULES = (
    _rule("name", rf"{_CLAUSE}(?:call|address) me (?:as )?{_NAME}", _name),
    _rule("name", rf"\b(?:my name(?:['’]s| is)|i(?:['’]m| am) called|i go by|my friends call me) {_NAME}", _name),
    _rule(
        "name", rf"\b(?:nenn(?:e|en sie)? mich|ich hei(?:ß|ss)e|mein name ist|ich bin der|ich bin die) {_NAME}", _name
    ),
    _rule(
        "name", rf"(?:\bappel(?:le|lez)-moi|\bje m['’]appelle|\bme llamo|\bll[aá]m[ae]me|\bmi nombre es) {_NAME}", _name
    ),
    _rule("language", rf"{_CLAUSE}{_ANSWER}(?: to)?(?: me)?(?: always| only)? in {_LANG}", _language),
    _rule("language", rf"{_CLAUSE}(?:speak|use|switch to|change to) {_LANG}(?! \w)", _language),
    _rule(
        "language",
        rf"{_PREFER}(?: your| my| all)?(?: {_ANSWERS})?(?: you to {_ANSWER})?(?: to be)? in {_LANG}",
        _language,
    ),
    _rule(
        "language", rf"\bi(?:['’]d| would)? prefer (?:to (?:speak|talk|read|chat)(?: in)? )?{_LANG}(?! \w)", _language
    ),
    _rule("language", rf"^\s*(?:in|auf|en) {_LANG}(?:,? (?:please|bitte))?\s*[.!]*\s*$", _language),
    _rule("language", rf"\b(?:in|auf) {_LANG},? (?:please|bitte)\b", _language, lasting=False),
    _rule(
        "language",
        r"\b(?:antworten?|schreiben?|schreib|sprich|sprechen|reden?)(?: sie)?(?: mit)?(?: mir)?(?: bitte)?(?: immer)?"
        rf" (?:auf|in) {_LANG}",
        _language,
    ),
    _rule(
        "language",
        r"\b(?:réponds|répondez|parle|parlez|écris|écrivez|respond[ea]|contesta|habla|hable|háblame|escribe)(?:-moi|me)?"
        rf"(?: toujours| siempre)? en {_LANG}",
        _language,
    ),
    _rule(
        "detail",
        rf"{_CLAUSE}{_ANSWER}(?: to)?(?: me)?(?: questions?)?(?: more| very| as)* {_SHORT}(?: as possible)?",
        LITTLE,
    ),
    _rule(
        "detail",
        rf"{_CLAUSE}(?:keep|make) (?:it|this|things|(?:your |the |all )*{_ANSWERS})(?: very| more| as)* {_SHORT}",
        LITTLE,
    ),
    _rule("detail", rf"{_CLAUSE}be (?:more |very |as |a bit )*(?:brief|briefer|concise|succinct|short)\b", LITTLE),
    _rule("detail", rf"{_PREFER}(?: only| your| my)* (?:short|shorter|brief|concise|quick) {_ANSWERS}", LITTLE),
    _rule(
        "detail",
        rf"{_CLAUSE}(?:give me |use |only )*(?:short|shorter|brief|concise) (?:answers|replies|responses)\b",
        LITTLE,
    ),
    _rule(
        "detail",
        rf"{_CLAUSE}(?:give me |i (?:want|need) )?a (?:short|brief|quick) (?:answer|reply|response)\b",
        LITTLE,
        False,
    ),
    _rule("detail", r"\b(?:in|with) (?:just |only )?(?:one|a single) (?:short )?sentence\b", 0.0, False),
    _rule(
        "detail",
        r"\b(?:antworten?|erklären?|fass(?:en?)?|halten?)(?: sie| dich| sich| es| deine antworten| ihre antworten)?"
        r"(?: mir)?(?: bitte)?(?: immer)? (?:kurz|knapp)(?: und knapp)?\b|\bbitte (?:nur )?kurz\b"
        r"|\bkurze antworten,? bitte",
        LITTLE,
    ),
    _rule(
        "detail",
        r"\b(?:réponds|répondez)(?:-moi)?(?: toujours)? (?:brièvement|court)|\bresponde(?: siempre)? brevemente",
        LITTLE,
    ),
    _rule("detail", rf"{_CLAUSE}{_ANSWER}(?: to)?(?: me)? {_LONG}", MUCH),
    _rule("detail", rf"{_CLAUSE}be (?:more |very |as )*(?:detailed|thorough|elaborate)\b", MUCH),
    _rule("detail", rf"{_PREFER}(?: your| my)* (?:more )?(?:long|longer|detailed|thorough|in-depth) {_ANSWERS}", MUCH),
    _rule("detail", rf"(?<=\w )(?<!is )(?<!are ){_LONG}(?=\s*(?:[.?!,]|$|please\b))", MUCH, False),
    _rule(
        "detail", r"\b(?:antworten?|erklären?)(?: sie)?(?: mir)?(?: bitte)?(?: immer)?(?: \w+)? ausführlich\w*", MUCH
    ),
    _rule(
        "formality",
        rf"{_CLAUSE}(?:be|stay|sound|{_ANSWER})(?: to| with)?(?: me)? "
        r"(?:(?:more|very|quite|a bit|rather|less|not so|not too) )*"
        r"(?P<word>casual|casually|informal|informally|relaxed|formal|formally)\b",
        lambda found: MUCH if _is_formal(found) else LITTLE,
    ),
    _rule(
        "formality",
        rf"(?:{_PREFER}|{_CLAUSE}use)(?: an?| more| your)* (?P<word>casual|informal|formal)"
        rf" (?:tone|language|style|{_ANSWERS})",
        lambda found: MUCH if _is_formal(found) else LITTLE,
    ),
    _rule(
        "formality",
        r"\bno need to be (?:so )?formal|\b(?:don['’]?t|do not) be (?:so |too )?formal"
        r"|\bduz(?:e|en sie) mich\b|\bdu kannst mich duzen\b|\bwir können uns duzen\b",
        LITTLE,
    ),
    _rule("formality", r"\bsiez(?:e|en sie) mich\b", MUCH),
    _rule(
        "energy",
        rf"(?:{_CLAUSE}be (?:more |very |a bit )*|{_PREFER}(?: a| an| more)* )"
        r"(?:enthusiastic|cheerful|lively|energetic|upbeat|vivid)(?: tone| answers| style)?\b",
        MUCH,
    ),
    _rule(
        "energy",
        rf"(?:{_CLAUSE}(?:be|stay) (?:more |very |a bit )*|{_PREFER}(?: a| an| more)* )"
        r"(?:calm|calmer|neutral|matter-of-fact|sober|less (?:enthusiastic|excited|energetic))"
        r"(?: tone| answers| style)?\b",
        LITTLE,
    ),
    _rule(
        "units",
        rf"\bi(?:['’]d| would)? (?:prefer|use|like|want|think in)(?: the)? {_UNITS}"
        r"(?: (?:units?|system|measurements?))\b",
        _units,
    ),
    _rule(
        "units",
        rf"{_CLAUSE}(?:use|give me|{_ANSWER} (?:in|with))(?: the)? {_UNITS}"
        r"(?: (?:units?|system|measurements?|measures))\b",
        _units,
    ),
    _rule("units", rf"\bin {_UNITS}(?: units?)?,? please\b", _units, False),
    _rule("units", r"\bi(?:['’]d| would)? prefer (?P<units>metric|imperial)\b(?! \w)", _units),
)
"""In order: where two find the same words, the first counts."""


def _is_formal(found: re.Match[str]) -> bool:
    return found["word"].lower().startswith("formal") and not re.search(r"\b(?:less|not)\b", found[0], re.IGNORECASE)
