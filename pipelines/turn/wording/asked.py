"""What a question asks for: who, when, how much; and what is no question at all."""

import re
from dataclasses import dataclass

from pipelines.turn.wording.phrases import Phrases

_NUMBER = r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|half|dozen)\b)"
_DAY = r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b"
_MONTH = r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b"
_CLOCK = r"\b\d{1,2}[:.]\d\d\b|\b(?:1[0-9]|20)\d\d\b|\b(?:noon|midnight|daily|weekly|monthly|yearly)\b"
_UNITS = {
    "time": r"seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centur(?:y|ies)|times|once|twice|daily"
    r"|weekly|monthly|yearly|h|min",
    "length": r"(?:kilo|centi|milli)?met(?:re|er)s?|k?m|[cm]m|miles?|feet|foot|ft|yards?|inch(?:es)?|blocks?",
    "weight": r"(?:kilo)?gram(?:me)?s?|k?g|tons?|tonnes?|pounds?|lbs?|ounces?|oz",
    "heat": r"degrees?|celsius|fahrenheit|kelvin",
    "speed": r"km/h|kph|mph|m/s|knots|per (?:hour|second|minute)|[kmg]bit/s|[mg]bps",
    "size": r"litres?|liters?|ml|l|gallons?|square|cubic|hectares?|acres?|[kmgt]b|(?:kilo|mega|giga|tera)bytes?|percent"
    r"|watts?|k?w|volts?|v|bar|people|pages?",
}


def _measure(*units: str) -> str:
    """Return what a figure with one of these units looks like, behind it or, as in "weight_kg: 17", before it."""
    signs = "|[%°]" if {"heat", "size"} & set(units) else ""
    known = "|".join(_UNITS[unit] for unit in units)
    return rf"(?i:{_NUMBER}.{{0,20}}?(?:(?<![a-z])(?:{known})\b{signs})|(?:_|\b)(?:{known})\)?: ?\d)"


_SPAN = r"\b(?:morning|evening|days?|hours?|minutes?|weeks?|months?|years?)\b"


@dataclass(frozen=True)
class Kind:
    """A kind of question: what its answer looks like, whether several statements belong to it,
    and whether (`is_strict`) nothing else can be one."""

    asks: str
    answer: str = ""
    many: bool = False
    is_strict: bool = False

    def fits(self, statement: str) -> bool:
        """Return whether the statement looks like an answer of this kind."""
        return bool(self.answer) and re.search(self.answer, statement) is not None


KINDS = (
    Kind(
        r"how (?:much|expensive)|what .*(?:price|cost|fee)|price|cost|wie ?viel kostet|was kostet|kosten"
        r"|cu[aá]nto cuesta|combien co[uû]te",
        r"[$€£¥]\s?\d|\d\s?(?:[$€£¥%]|(?i:euros?|dollars?|pounds?|cents?)\b)|: \d|\b(?i:free)\b",
        is_strict=True,
    ),
    Kind(r"how heavy|what .*weight", _measure("weight"), is_strict=True),
    Kind(r"how (?:hot|cold|warm)|what .*temperature", _measure("heat"), is_strict=True),
    Kind(r"how fast|what .*speed", _measure("speed", "time"), is_strict=True),
    Kind(r"how (?:far|high|tall|wide|deep)|what .*(?:distance|height|width|depth)", _measure("length"), is_strict=True),
    Kind(r"how (?:soon|late|early|often|quickly)|what .*duration", rf"{_measure('time')}|(?i:{_DAY})", is_strict=True),
    Kind(r"how long|what .*length", _measure("time", "length"), is_strict=True),
    Kind(r"how (?:large|big)|what .*(?:size|capacity)", _measure("size", "length", "weight"), is_strict=True),
    Kind(
        r"how (?:many|old)|what (?:number|percentage|share|age|amount)|population", rf"(?i:{_NUMBER})", is_strict=True
    ),
    Kind(
        r"how (?:do|can|should|to|must)\b|what (?:are the )?steps|what (?:should|must|do|can) (?:i|we|you)\b", many=True
    ),
    Kind(
        r"when\b|wann\b|cu[aá]ndo\b|quand\b|what (?:time|date|day|year|century|decade)"
        r"|which (?:day|year|month)|(?:opening|office|working) hours",
        rf"(?i:{_DAY}|{_MONTH}|{_CLOCK}|{_SPAN}|\d ?[ap]m\b|\d(?:st|nd|rd|th)\b)",
        is_strict=True,
    ),
    Kind(
        r"who\b|whose\b|whom\b|wer\b|qui[eé]n(?:es)?\b|qui\b",
        r"[A-Z][\w'’-]+ [A-Z][\w'’-]+|\b[A-Z][\w'’-]+\b.*\b(?:is|was|are|were)\b",
    ),
    Kind(
        r"where\b|wo\b|d[oó]nde\b|o[uù]\b|which (?:city|country|place|town)",
        r"\b(?i:in|at|on|near|behind|beside|next to|inside|outside|under|from|to)\s+(?:(?i:the)\b|[A-Z])",
    ),
    Kind(
        r"why\b|warum\b|pourquoi\b|what .*reason",
        r"\b(?i:because|since|so that|due to|in order to|as a result|to avoid|caused)\b",
    ),
    Kind(r"^(?:please )?(?:list|name|give|show)\b|what are\b|which \w+s (?:are|do|have|were|can)\b", many=True),
)
OTHER = Kind("")

_GREETING = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|hallo|guten (?:morgen|tag|abend)|hola"
    r"|buen[oa]s (?:días|tardes|noches)|bonjour|bonsoir|salut)(?: (?:there|aura|everyone))?",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:thanks?(?: you)?(?: (?:very|so) much| a lot)?|great|ok(?:ay)?|bye|goodbye|danke(?: schön| sehr)?|vielen dank"
    r"|tschüss|(?:muchas )?gracias|adiós|merci(?: beaucoup)?|au revoir)",
    re.IGNORECASE,
)


_REQUEST = re.compile(
    r"^(?:please |can you |could you )*(?:list|name|give|show|tell|explain|describe)(?: me| us)?\b(?: about\b)?",
    re.IGNORECASE,
)


_MANNER = re.compile(
    r"\bhow (?:long|soon|late|early|often|far|high|tall|wide|deep|heavy|fast|quickly|hot|cold|large|big|old"
    r"|expensive)\b"
    r"|\b(?:what|which) (?:time|year|day|date|kind|type|sort|number|amount|percentage|name)s?\b"
    r"|\b(?:is|are|was|were) the (?:names?|numbers?|amounts?|terms?|words?) (?:of|for)\b|\bhappen(?:s|ed)?\b"
    r"|\b(?:called|named|mean|considered|known as)(?=\s*\?*$)|\b(?:get|go|goes|use|need|want|know)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\bhow many ((?:[\w'’-]+ ?){1,3})", re.IGNORECASE)


_ROLE = re.compile(
    r"\bwho(?:'s| is| was| are| were) (?:the|our|your|its|their)"
    r" ((?:(?!of\b|for\b|in\b|at\b|on\b|who\b)[\w'’-]+ ?){1,4})",
    re.IGNORECASE,
)


def subject(question: str) -> str:
    """Return the question without the words that only ask: "Please list the rides" is about "the rides"."""
    return _REQUEST.sub("", question).strip() or question


def manner(question: str) -> set[str]:
    """Return the words, in lower case, that say how something is asked more than what: the "long" of "how long"."""
    return {word for found in _MANNER.findall(question) for word in found.lower().split()}


def counted(question: str) -> str:
    """Return what is counted: "paid leave days" of "how many paid leave days…"; "" where nothing is."""
    found = _COUNTED.search(question)
    return found[1] if found else ""


def kind_of(question: str) -> Kind:
    """Return what the question asks for."""
    asked = question.lower()
    return next((kind for kind in KINDS if re.search(rf"\b(?:{kind.asks})", asked)), OTHER)


def small_talk(question: str, said: Phrases) -> str | None:
    """Return the reply to a greeting or thanks in the words of `said`; None where something is asked."""
    plain = re.sub(r"[^\w\s]", "", question).strip()
    if _GREETING.fullmatch(plain):
        return said.hello
    if _THANKS.fullmatch(plain):
        return said.welcome
    return None


def role(question: str) -> str:
    """Return what somebody is asked to be: "safety officer" of "who is the safety officer in…"; "" elsewhere."""
    found = _ROLE.search(question)
    return found[1] if found else ""


_NAME = re.compile(r"(?<!^)(?<![.?!] )\b(?:[A-Z][\w'’-]*|\w*\d[\w.,:/-]*)")


def names(question: str) -> list[str]:
    """Return the words that name something: with a capital within the question, or with a digit."""
    found = _NAME.findall(question)
    # In a title or a shout, capitals tell nothing.
    return found if 2 * len(found) <= len(question.split()) else [one for one in found if re.search(r"\d", one)]
