"""An answer cut into sentences while it is written, and a sentence made fit for the voice."""

import re

from pipelines.text import sentences

_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*|[。！？]+[」』”’]*|:(?=\s*\n)|\n)(?:\s*\[\d{1,3}\])*")
"""Where a sentence may end: punctuation with what closes it and the markers that belong to it, or a line's end."""


class SentenceSplitter:
    """Fed with text as it comes, gives each sentence once it is certain that it has ended.

    Certain means: what follows has begun. The cut depends on the text alone, never on how it was
    split into tokens. All sentences joined are the text, but for the white space between them.
    """

    def __init__(self) -> None:
        self._text = ""
        self._seen = 0

    def feed(self, text: str) -> list[str]:
        """Add text and return the sentences that have ended by now."""
        self._text += text
        found = []
        while (end := self._next_end()) is not None:
            said = self._text[:end].strip()
            self._text, self._seen = self._text[end:].lstrip(), 0
            if said:
                found.append(said)
        return found

    def flush(self) -> list[str]:
        """Return what is left, as the last sentence."""
        said, self._text, self._seen = self._text.strip(), "", 0
        return [said] if said else []

    def _next_end(self) -> int | None:
        for found in _END.finditer(self._text, self._seen):
            after = self._text[found.end() :]
            follows = after.lstrip()
            # A marker or more punctuation may still be on its way.
            if not follows or (follows[0] == "[" and not re.match(r"\[(?!\d{0,3}(?:\]|$))", follows)):
                return None
            if self._ends(found, after, follows[0]):
                return found.end()
            self._seen = found.end()
        return None

    def _ends(self, found: re.Match[str], after: str, following: str) -> bool:
        said = self._text[: found.end()].rstrip()
        if not said:
            return False
        if found[0][0] in "\n:。！？":
            return True
        if after[0] not in " \t\n":
            return False  # "3.5", "example.com"
        # The whole splitter knows abbreviations; it needs to see how the next word begins.
        spans = sentences(f"{said} {following}ext")
        return bool(spans) and spans[-1][0] >= len(said)


_URL = re.compile(r"(?:https?://)?(?:www\.)?([\w-]+(?:\.[\w-]+)*\.[a-z]{2,})(/[^\s)\]]*)?", re.IGNORECASE)
_MONEY = re.compile(r"(?P<sign>[$€£])\s?(?P<whole>\d[\d,]*)(?:\.(?P<cents>\d{2}))?(?!\.?\d)")
_CURRENCY = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "pence")}
_UNITS = {
    "km/h": "kilometres per hour",
    "km": "kilometres",
    "kg": "kilograms",
    "cm": "centimetres",
    "mm": "millimetres",
    "kWh": "kilowatt hours",
    "Wh": "watt hours",
    "Nm": "newton metres",
    "°C": "degrees Celsius",
    "min": "minutes",
    "h": "hours",
    "l": "litres",
    "m": "metres",
    "g": "grams",
}
_SHORT = {
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "and so on",
    "approx.": "approximately",
    "incl.": "including",
    "vs.": "versus",
    "&": "and",
    "No.": "number",
    "a.m.": "A M",
    "p.m.": "P M",
}


def speakable(text: str) -> str:
    """Return what is said aloud: no markers, no markup; money, ranges, units and times in words.

    Empty where nothing is left to say.
    """
    said = re.sub(r"\s?\[\d{1,3}\]", "", text)
    said = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", said)
    said = re.sub(r"`{1,3}|\*{1,3}|~~|(?<!\w)_{1,2}|_{1,2}(?!\w)", "", said)
    said = re.sub(r"^\s*(?:#{1,6}|[-*•·>]|\d{1,3}[.)])\s+", "", said, flags=re.MULTILINE)
    said = re.sub(r"\s*\|\s*", ", ", said)
    said = _URL.sub(lambda found: found[1].replace(".", " dot ") if "@" not in said else found[0], said)
    said = _MONEY.sub(_money, said)
    said = re.sub(r"(?<=\d)\s?%", " percent", said)
    said = re.sub(r"(?<=\d)\s?[–—-]\s?(?=\d)", " to ", said)
    said = re.sub(r"\b(\d{1,2}):00\b(?!:)", r"\1 o'clock", said)
    said = re.sub(r"\b0?(\d{1,2}):0(\d)\b(?!:)", r"\1 oh \2", said)
    said = re.sub(r"\b0?(\d{1,2}):(\d\d)\b(?!:)", r"\1 \2", said)
    for short, unit in _UNITS.items():
        said = re.sub(rf"(?<=\d)\s?{re.escape(short)}(?![\w/])", f" {unit}", said)
    for short, word in _SHORT.items():
        said = re.sub(rf"(?<![\w.]){re.escape(short)}(?!\w)", word, said)
    said = re.sub(r"\s*[–—]\s*", ", ", said)
    said = re.sub(r"\s+", " ", said).strip(" ,;")
    return said if re.search(r"\w", said) else ""


def _money(found: re.Match[str]) -> str:
    unit, cent = _CURRENCY[found["sign"]]
    whole, cents = found["whole"].replace(",", ""), found["cents"]
    said = f"{whole} {unit}{'' if whole == '1' else 's'}"
    if cents and cents != "00":
        said += f" {int(cents)}" if whole != "0" else f" and {int(cents)} {cent}s"
    return said
