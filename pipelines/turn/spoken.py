"""A sentence made fit for the voice: what a reader sees at a glance, in words (English)."""

import re

_MARKER = re.compile(r"\s?\[\d{1,3}\]")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s\[\]]*\)")
_MARKUP = re.compile(r"`{1,3}|\*{1,3}|~~|(?<!\w)_{1,2}|_{1,2}(?!\w)")
_LINE_START = re.compile(r"^[ \t]*(?:#{1,6}|[-*•·>]|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_LINE_END = re.compile(r"(?<![.!?:;,…])[ \t]*\n\s*")

_EMAIL = re.compile(r"(?<![\w.+-])([\w.+-]++)@([\w-]++(?:\.[\w-]++)++)")
_URL = re.compile(
    r"(?:https?://(?:www\.)?|\bwww\.)([\w-]+(?:\.[\w-]+)*)(?::\d+)?(?:[/?#]\S*?)?(?=[.,;:!?)\]]*(?:\s|$))",
    re.IGNORECASE,
)
_DOMAIN = re.compile(r"(?<![\w.-])((?:[a-z][\w-]*+\.(?=[a-z]))++[a-z]{2,}+)(?:/[\w./?=&%#-]*\w)?", re.IGNORECASE)

_MONTHS = "January February March April May June July August September October November December".split()
_ISO_DATE = re.compile(r"\b(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b")
_DAYS = {"Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday"} | {
    "Fri": "Friday",
    "Sat": "Saturday",
    "Sun": "Sunday",
}
_DAY_RANGE = re.compile(rf"\b({'|'.join(_DAYS)})[a-z]*\.?\s?[–-]\s?({'|'.join(_DAYS)})[a-z]*\b")
_CLOCK = re.compile(r"(?<![\d:])0?(\d{1,2}):([0-5]\d)(?![\d:])(?:\s?h\b)?(?P<half>\s?[ap]\.?\s?m\b\.?)?", re.IGNORECASE)
_HALF = re.compile(r"(?<=\d)\s?([ap])(?:\.m\.|m\b)", re.IGNORECASE)

_AMOUNT = r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?(?P<scale>\s?(?:million|billion|thousand|bn|m|k)\b)?"
_MONEY_BEFORE = re.compile(rf"(?P<sign>[$€£¥])\s?{_AMOUNT}(?![\d.,]*\d)")
_MONEY_AFTER = re.compile(rf"(?<![\w.,]){_AMOUNT}\s?(?P<sign>[€£¥])")
_SCALES = {"m": "million", "bn": "billion", "k": "thousand"}
_CURRENCIES = {
    "$": ("dollar", "dollars", "cents"),
    "€": ("euro", "euros", "cents"),
    "£": ("pound", "pounds", "pence"),
    "¥": ("yen", "yen", "sen"),
}

_DASH_RANGE = re.compile(r"(?<=\w)\s?–\s?(?=\d)|(?<=\w)–(?=\w)")
_HYPHEN_RANGE = re.compile(r"(?<![\w-])(\d{1,4})-(\d{1,4})(?![\d-])")
_UNITS = {
    "km/h": ("kilometre per hour", "kilometres per hour"),
    "m²": ("square metre", "square metres"),
    "m³": ("cubic metre", "cubic metres"),
    "km": ("kilometre", "kilometres"),
    "cm": ("centimetre", "centimetres"),
    "mm": ("millimetre", "millimetres"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "ml": ("millilitre", "millilitres"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "Wh": ("watt hour", "watt hours"),
    "kW": ("kilowatt", "kilowatts"),
    "Nm": ("newton metre", "newton metres"),
    "GB": ("gigabyte", "gigabytes"),
    "MB": ("megabyte", "megabytes"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "l": ("litre", "litres"),
    "m": ("metre", "metres"),
    "g": ("gram", "grams"),
}
_UNIT = re.compile(rf"(?<![\w.,])(\d[\d.,]*)\s?({'|'.join(map(re.escape, _UNITS))})(?![\w/²³'’])")
_SHORT = {
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "and so on",
    "approx.": "approximately",
    "incl.": "including",
    "excl.": "excluding",
    "max.": "at most",
    "min.": "at least",
    "vs.": "versus",
    "&": "and",
}


def speakable(text: str) -> str:
    """Return what is said aloud: no markers, no markup, no paths of URLs; money, ranges, dates, times, units
    and abbreviations in words.

    Empty where nothing is left to say.
    """
    said = _LINK.sub(r"\1", _MARKER.sub("", text))
    said = _LINE_END.sub(", ", _LINE_START.sub("", _MARKUP.sub("", said)).strip())
    said = re.sub(r"\s*\|\s*", ", ", said)
    said = _addresses(said)
    said = _times(said)
    said = _MONEY_AFTER.sub(_money, _MONEY_BEFORE.sub(_money, said))
    said = _numbers(said)
    for short, word in _SHORT.items():
        said = re.sub(rf"(?<![\w.]){re.escape(short)}(?!\w)", word, said)
    said = re.sub(r"\s*[–—]\s*", ", ", said)
    said = re.sub(r"\s+", " ", said).strip(" ,;")
    return said if re.search(r"\w", said) else ""


def _addresses(text: str) -> str:
    said = _EMAIL.sub(lambda found: f"{_dotted(found[1])} at {_dotted(found[2])}", text)
    said = _URL.sub(lambda found: _dotted(found[1]), said)
    return _DOMAIN.sub(lambda found: _dotted(found[1]), said)


def _dotted(address: str) -> str:
    return address.replace(".", " dot ")


def _times(text: str) -> str:
    said = _ISO_DATE.sub(lambda found: f"{int(found[3])} {_MONTHS[int(found[2]) - 1]} {found[1]}", text)
    said = _DAY_RANGE.sub(lambda found: f"{_DAYS[found[1]]} to {_DAYS[found[2]]}", said)
    said = re.sub(r"(?<=:\d\d)\s?[–-]\s?(?=\d{1,2}:\d\d)", " to ", said)
    return _HALF.sub(lambda found: f" {found[1].upper()} M", _CLOCK.sub(_clock, said))


def _clock(found: re.Match[str]) -> str:
    hour, minute = found[1], found[2]
    half = f" {found['half'].strip()[0].upper()} M" if found["half"] else ""
    if minute == "00":
        return hour + (half or " o'clock")
    return f"{hour} {'oh ' + minute[1] if minute[0] == '0' else minute}{half}"


def _money(found: re.Match[str]) -> str:
    one, many, small = _CURRENCIES[found["sign"]]
    whole, part, scale = found["whole"].replace(",", ""), found["part"] or "", (found["scale"] or "").strip()
    if scale:
        return f"{whole}{f'.{part}' if part else ''} {_SCALES.get(scale, scale)} {many}"
    if part and len(part) != 2:
        return f"{whole}.{part} {many}"
    if whole == "0" and part:
        return f"{int(part)} {small}"
    said = f"{whole} {one if whole == '1' else many}"
    return f"{said} {int(part)}" if part.strip("0") else said


def _numbers(text: str) -> str:
    said = re.sub(r"(?<=\d)\s?%", " percent", text)
    said = _HYPHEN_RANGE.sub(_hyphen, _DASH_RANGE.sub(" to ", said))
    said = re.sub(r"(?<!\w)−(?=\d)", "minus ", said)
    said = re.sub(r"\bNo\.(?=\s?\d)", "number", said)
    return _UNIT.sub(lambda found: f"{found[1]} {_UNITS[found[2]][found[1] != '1']}", said)


def _hyphen(found: re.Match[str]) -> str:
    """Return "3 to 5" for a range of counts or years, "555 0142" for what is more like a telephone number."""
    low, high = found[1], found[2]
    are_years = all(1000 <= int(year) <= 2200 for year in (low, high))
    is_range = int(low) < int(high) and not high.startswith("0") and (are_years or len(high) <= 3)
    return f"{low} to {high}" if is_range else f"{low} {high}"
