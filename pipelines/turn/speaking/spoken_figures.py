"""Money, measures, telephone numbers, fractions, ordinals, Roman numerals, ranges and signs in English words."""

import re
import unicodedata

from pipelines.turn.speaking.measures import UNITS
from pipelines.turn.speaking.number_words import MOST, ROMAN, cardinal, digits, fraction, ordinal, roman

_PHONES = (
    re.compile(r"(?<![\w.+])\(?\+\d(?:[ \-.()/]{0,2}\d){6,14}(?![\w]|[.,]\d)"),
    re.compile(r"(?<![\w.,-])(?:1[ -])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-]|[.,]\d)"),
    re.compile(r"(?<![\w.,/-])\(?0\d{1,5}\)?(?:[ \-/]{1,2}\d{2,8}){1,5}(?![\w-]|[.,/]\d)"),
    re.compile(r"(?<![\w.,-])\d{3}-\d{4}(?![\w-]|[.,]\d)"),
    re.compile(r"(?<![\w.,:/-])0\d{3,15}(?![\w:/-]|[.,]\d)"),
    re.compile(r"(?i:(?<=call )|(?<=dial )|(?<=phone )|(?<=fax )|(?<=hotline ))\d{5,12}(?!\w|[.,-]\d)"),
)

_AMOUNT = (
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?"
    r"(?P<scale>\s?(?:million|billion|trillion|thousand|bn|[mMkKB])\b)?"
)
_CODES = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CHF": "CHF", "CAD": "CAD", "AUD": "AUD"}
_SIGN = rf"(?:US)?[$€£¥₹]|(?<!\w)(?:{'|'.join(_CODES)})(?!\w)"
_MONEY_RANGE = re.compile(
    rf"(?P<sign>{_SIGN})\s?(?P<low>\d+(?:,\d{{3}})*(?:\.\d+)?)(?:[–—-]|\s[–—-]\s)(?:{_SIGN})?\s?(?=\d)"
)
_MONEY_BEFORE = re.compile(rf"(?P<minus>[-−])?(?P<sign>{_SIGN})\s?{_AMOUNT}(?![\d.,]*\d|\w)")
_MONEY_AFTER = re.compile(rf"(?<![\w.,]){_AMOUNT}\s?(?P<sign>[€£¥₹]|(?:{'|'.join(_CODES)})(?!\w))")
_SCALES = {"m": "million", "bn": "billion", "k": "thousand", "b": "billion"}
_CURRENCIES = {
    "$": ("dollar", "dollars", "cents"),
    "€": ("euro", "euros", "cents"),
    "£": ("pound", "pounds", "pence"),
    "¥": ("yen", "yen", "sen"),
    "₹": ("rupee", "rupees", "paise"),
    "CHF": ("Swiss franc", "Swiss francs", "centimes"),
    "CAD": ("Canadian dollar", "Canadian dollars", "cents"),
    "AUD": ("Australian dollar", "Australian dollars", "cents"),
}
_PER = re.compile(
    r"(?<=[\w€£$])\s?/\s?(month|mo|year|yr|week|day|night|hour|person|user|seat|piece|unit|item|kg|m²|GB|kWh)(?!\w)"
)
_EACH = {"mo": "month", "yr": "year"} | {short: one for short, (one, _) in UNITS.items()}

_VULGAR = re.compile(r"\s?([¼-¾⅐-⅞])")
_FRACTION = re.compile(r"(?<![\w/.,-])(?:(\d{1,4})\s(?:and\s)?)?(\d{1,3})/(\d{1,4})(?![\w/-]|[.,]\d)(?P<of>\sof\b)?")
_ALWAYS_PARTS = (2, 3, 4, 8, 16)
_ORDINAL = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})*|\d{1,9})(?:st|nd|rd|th)\b", re.IGNORECASE)

_NUMERAL = r"(?=[IVX])(?P<numeral>X{0,3}(?:IX|IV|V?I{0,3}))(?![\w’'-]|\.\w)"
_KINGS = (
    "Henry|Louis|Charles|Elizabeth|George|Edward|William|James|Richard|Philip|Frederick|Friedrich|Wilhelm|Catherine"
    "|Napoleon|Peter|Nicholas|Alexander|Francis|Ferdinand|Otto|Ivan|John Paul|Benedict|Pius|Leo|Gregory|Innocent"
    "|Clement|Urban|Paul|Ramses|Ramesses|Ptolemy|Mary|Christian|Gustav|Olav|Haakon|Carl|Karl|Leopold|Albert|Rainier"
)
_REGNAL = re.compile(rf"\b(?P<title>(?:King|Queen|Pope|Emperor|Tsar|Prince|Saint)\s)?(?P<name>{_KINGS})\s{_NUMERAL}")
_PARTS = frozenset(
    "chapter part act section volume type phase stage level class article figure table appendix title grade mark book "
    "tier".split()
)
_NUMBERED = re.compile(
    rf"\b(?P<name>{'|'.join(f'[{name[0].upper()}{name[0]}]{name[1:]}' for name in sorted(_PARTS))}|[A-Z]\w*[a-z])"
    rf"\s{_NUMERAL}"
)

_DASH_RANGE = re.compile(r"(?<=\d)\s?–\s?(?=\d)|(?<=\w)–(?=\w)|(?<=[%°])\s?[–-]\s?(?=\d)")
_HYPHEN_RANGE = re.compile(r"(?<![\w.,/-])(\d{1,6}(?:\.\d{1,3})?)\s?-\s?(\d{1,6}(?:\.\d{1,3})?)(?![\d-]|[.,/]\d)")
_THOUSANDS = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?!\d|,\d)")
_VERSION = re.compile(r"(?<![\w.])[vV]?(\d{1,5}(?:\.\d{1,5}){2,5})(?![\w]|\.\d)")
_SHORT_VERSION = re.compile(r"\bv(?=\d{1,4}(?:\.\d{1,4})?(?!\w))")

_UNIT = re.compile(
    rf"(?<![\w.,])(\d[\d.,]*)\s?({'|'.join(map(re.escape, sorted(UNITS, key=len, reverse=True)))})(?![\w/²³'’])"
)

_SIGNS = (
    (re.compile(r"(?<=\d)\s?%"), " percent"),
    (re.compile(r"(?<=\d)\s?¢"), " cents"),
    (re.compile(r"(?<![^\s(])\+(?=\d)"), "plus "),
    (re.compile(r"(?<=\d)\s?‰"), " per thousand"),
    (re.compile(r"(?<![^\s(])[-−](?=[\d.]*\d)"), "minus "),
    (re.compile(r"(?<=\d)\s?[×x]\s?(?=\d)"), " by "),
    (re.compile(r"(?<=\d)[x×](?!\w)"), " times"),
    (re.compile(r"(?<=\d)\s?\+\s?(?=\d)"), " plus "),
    (re.compile(r"(?<=\d)\+(?!\w)"), " or more"),
    (re.compile(r"(?<=\d)\s?÷\s?(?=\d)"), " divided by "),
    (re.compile(r"(?:\s|(?<=\w))=(?:\s|(?=\w))"), " equals "),
    (re.compile(r"[≈~]\s?(?=\d)"), "about "),
    (re.compile(r"±\s?(?=\d)"), "plus or minus "),
    (re.compile(r"(?:≥|>=)\s?(?=\d)"), "at least "),
    (re.compile(r"(?:≤|<=)\s?(?=\d)"), "at most "),
    (re.compile(r"<\s?(?=\d)"), "less than "),
    (re.compile(r">\s?(?=\d)"), "more than "),
    (re.compile(r"§§?\s?(?=\d)"), "section "),
    (re.compile(r"(?<!\w)#\s?(?=\d)"), "number "),
    (re.compile(r"\bNo\.(?=\s?\d)"), "number"),
    (re.compile(r"\s?(?:→|⇒|➔|->|=>)\s?"), ", "),
    (re.compile(r"(?<=[A-Za-z])²"), " squared"),
    (re.compile(r"(?<=[A-Za-z])³"), " cubed"),
)


def phones(text: str) -> str:
    """Return `text` with telephone numbers, and figures that begin with 0, digit by digit."""
    for pattern in _PHONES:
        text = pattern.sub(_phone, text)
    return text


def money(text: str) -> str:
    """Return `text` with amounts of money in words: "€1,290" is "1290 euros"."""
    said = _MONEY_RANGE.sub(lambda found: f"{found['low'].replace(',', '')} to {found['sign']}", text)
    said = _MONEY_AFTER.sub(_money, _MONEY_BEFORE.sub(_money, said))
    return _PER.sub(lambda found: f" per {_EACH.get(found[1], found[1])}", said)


def figures(text: str) -> str:
    """Return `text` with what else is written in figures or signs in words."""
    said = _VULGAR.sub(lambda found: " " + unicodedata.normalize("NFKC", found[1]).replace("⁄", "/"), text)
    said = _ORDINAL.sub(_ordinal, _FRACTION.sub(_fraction, said))
    said = _NUMBERED.sub(_numbered, _REGNAL.sub(_regnal, said))
    said = _VERSION.sub(_version, _THOUSANDS.sub(lambda found: found[0].replace(",", ""), said))
    said = _HYPHEN_RANGE.sub(_hyphen, _DASH_RANGE.sub(" to ", _SHORT_VERSION.sub("version ", said)))
    said = _UNIT.sub(lambda found: f"{found[1]} {UNITS[found[2]][found[1] != '1']}", said)
    for pattern, words in _SIGNS:
        said = pattern.sub(words, said)
    return said


def _phone(found: re.Match[str]) -> str:
    return f"{'plus ' if '+' in found[0] else ''}{digits(found[0])}"


def _money(found: re.Match[str]) -> str:
    sign = found["sign"].removeprefix("US") if found["sign"] != "USD" else "$"
    one, many, small = _CURRENCIES[_CODES.get(sign, sign)]
    whole, part, scale = found["whole"].replace(",", ""), found["part"] or "", (found["scale"] or "").strip()
    minus = "minus " if found.groupdict().get("minus") else ""
    if scale:
        return f"{minus}{whole}{f'.{part}' if part else ''} {_SCALES.get(scale.lower(), scale)} {many}"
    if part and len(part) != 2:
        return f"{minus}{whole}.{part} {many}"
    if whole == "0" and part:
        return f"{minus}{int(part)} {small}"
    said = f"{minus}{whole} {one if whole == '1' else many}"
    return f"{said} {int(part)}" if part.strip("0") else said


def _fraction(found: re.Match[str]) -> str:
    whole, part, of = found[1], int(found[2]), int(found[3])
    after = found["of"] or ""
    if (part, of) == (24, 7):
        return found[0].replace("24/7", "twenty four seven")
    if of < 2 or part > of or part == 0:
        return found[0]
    if part < of and (whole is not None or of in _ALWAYS_PARTS or after):
        said = fraction(part, of)
        return (f"{whole} and {'a half' if said == 'one half' else said}" if whole else said) + after
    return f"{f'{whole} ' if whole else ''}{part} out of {of}"


def _ordinal(found: re.Match[str]) -> str:
    number = int(found[1].replace(",", ""))
    return ordinal(number) if number <= MOST else found[0]


def _regnal(found: re.Match[str]) -> str:
    # "Elizabeth I saw" and "Elizabeth I": only a title makes the letter a number.
    if not _is_numeral(found["numeral"]) or (found["numeral"] == "I" and not found["title"]):
        return found[0]
    return f"{found['title'] or ''}{found['name']} the {ordinal(roman(found['numeral']))}"


def _numbered(found: re.Match[str]) -> str:
    if not _is_numeral(found["numeral"]) or (len(found["numeral"]) == 1 and found["name"].lower() not in _PARTS):
        return found[0]
    return f"{found['name']} {cardinal(roman(found['numeral']))}"


def _is_numeral(text: str) -> bool:
    return bool(text) and ROMAN.fullmatch(text) is not None


def _version(found: re.Match[str]) -> str:
    parts = found[1].split(".")
    if all(len(part) == 3 for part in parts[1:]):
        return found[0].replace(".", "")  # "1.000.000"
    is_address = len(parts) == 4 and all(int(part) < 256 for part in parts)
    said = (" dot " if is_address else " point ").join(parts)
    return f"version {said}" if found[0][0] in "vV" else said


def _hyphen(found: re.Match[str]) -> str:
    """Return "3 to 5" for a range of counts or years; figures that fall are set side by side."""
    low, high = found[1], found[2]
    return f"{low} to {high}" if float(low) < float(high) and not high.startswith("00") else f"{low} {high}"
