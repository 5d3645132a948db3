"""Dates, days and times of the clock in English words."""

import re

from pipelines.turn.speaking.number_words import cardinal, ordinal

_MONTHS = "January February March April May June July August September October November December".split()
_SHORT = {name[:3]: name for name in _MONTHS} | {name: name for name in _MONTHS} | {"Sept": "September"}
_MONTH = rf"({'|'.join(_MONTHS)}|{'|'.join(sorted(set(_SHORT) - set(_MONTHS), reverse=True))})\b\.?"
_DAY = r"(0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_DASH = r"\s?(?:[–—-]|to|and|or)\s?"

_ISO = re.compile(
    r"(?<![\w-])(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-])"
)
_FIGURES = re.compile(r"(?<![\w/.,-])(\d{1,2})([/.])(\d{1,2})\2(\d{4})(?![\w/]|\.\d)")
_DAYS_MONTH = re.compile(rf"(?<![\w.,/-])(?:([Tt]he)\s)?{_DAY}{_DASH}{_DAY}(?:\sof)?\s{_MONTH}")
_DAY_MONTH = re.compile(rf"(?<![\w.,/-])(?:([Tt]he)\s)?{_DAY}(?:\sof)?\s{_MONTH}")
_AFTER_DAY = r"(?=\s*(?:[,;.!?):]|$)|\s(?:\d{4}|at|from|to|until|till|through|and|or|is|was|in|the|we|you|it|a)\b)"
_MONTH_DAYS = re.compile(rf"\b{_MONTH}\s{_DAY}\s?[–-]\s?{_DAY}(?![\w:]|[.,]\d)")
_MONTH_DAY = re.compile(rf"\b{_MONTH}\s{_DAY}(?![\w:%]|[.,]\d){_AFTER_DAY}")
_MONTH_RANGE = re.compile(rf"\b{_MONTH}\s?[–-]\s?{_MONTH}(?!\w)")
_SHORT_MONTH = re.compile(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?(?=\s\d{4}\b)")

_WEEK = {"Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday"} | {
    "Fri": "Friday",
    "Sat": "Saturday",
    "Sun": "Sunday",
}
_WEEKDAY = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:s?day|nesday|rsday|urday|s|rs|r|n)?\b\.?"
_WEEKDAY_RANGE = re.compile(rf"\b{_WEEKDAY}\s?[–-]\s?{_WEEKDAY}(?!\w)")
_SHORT_WEEKDAY = re.compile(r"\b(Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun)\b\.?(?=,?\s\d|\s(?:and|to|or)\s|:)")
_DECADE = re.compile(r"(?<![\w.,])(?:(1[1-9]|20)|['’]|(?<=the )|(?<=The ))([1-9])0['’]?s\b")

_HALF = r"(?P<half>\s?[AaPp](?:\.\s?[Mm]\.|[Mm]\b))"
_HALVES_RANGE = re.compile(
    rf"(?P<at>(?<![\w.,])\d{{1,2}}(?:[:.][0-5]\d)?){_HALF}?\s?[–-]\s?(?=\d{{1,2}}(?:[:.][0-5]\d)?\s?[ap]\.?m)", re.I
)
_CLOCK_RANGE = re.compile(r"(?<=:\d\d)(\s?h)?\s?[–-]\s?(?=\d{1,2}:\d\d)")
_CLOCK = re.compile(rf"(?<![\w:.,])0?(\d{{1,2}}):([0-5]\d)(?!\d|:\d)(?:\s?h\b)?{_HALF}?")
_POINTED = re.compile(rf"(?<![\w:.,])0?(\d{{1,2}})\.([0-5]\d){_HALF}")
_WHOLE = re.compile(rf"(?<=\d){_HALF}")

OCLOCK = " o'clock"

_DAY_FIRST = ("en-gb", "en-au", "en-nz", "en-ie", "en-in", "en-za")


def times(text: str, language: str = "en") -> str:
    """Return `text` with its dates and times in words. 3/5/2021 is a date only where `language` tells which."""
    said = _ISO.sub(_iso, text)
    said = _FIGURES.sub(lambda found: _figures(found, language.lower()), said)
    said = _DAYS_MONTH.sub(_days_month, said)
    said = _DAY_MONTH.sub(lambda found: f"{_the(found)} {ordinal(int(found[2]))} of {_month(found[3])}", said)
    said = _MONTH_DAYS.sub(
        lambda found: f"{_month(found[1])} {ordinal(int(found[2]))} to {ordinal(int(found[3]))}", said
    )
    said = _MONTH_DAY.sub(lambda found: f"{_month(found[1])} {ordinal(int(found[2]))}", said)
    said = _MONTH_RANGE.sub(lambda found: f"{_month(found[1])} to {_month(found[2])}", said)
    said = _SHORT_MONTH.sub(lambda found: _month(found[1]), said)
    said = _WEEKDAY_RANGE.sub(lambda found: f"{_WEEK[found[1]]} to {_WEEK[found[2]]}", said)
    said = _SHORT_WEEKDAY.sub(lambda found: _WEEK[found[1][:3]], said)
    said = _DECADE.sub(_decade, said)
    said = _HALVES_RANGE.sub(lambda found: f"{found['at']}{found['half'] or ''} to ", _CLOCK_RANGE.sub(" to ", said))
    return _WHOLE.sub(_half, _CLOCK.sub(_clock, _POINTED.sub(_clock, said)))


def _month(name: str) -> str:
    return _SHORT[name]


def _the(found: re.Match[str]) -> str:
    return found[1] or "the"


def _iso(found: re.Match[str]) -> str:
    said = f"{_MONTHS[int(found[2]) - 1]} {ordinal(int(found[3]))}, {found[1]}"
    return f"{said}, {_at(int(found[4]), found[5])}" if found[4] else said


def _figures(found: re.Match[str], language: str) -> str:
    first, second, year = int(found[1]), int(found[3]), found[4]
    if found[2] == "." or first > 12 or language in _DAY_FIRST:
        day, month = first, second
    elif second > 12 or language == "en-us":
        month, day = first, second
    else:
        return f"{first} slash {second} slash {year}"
    return f"{_MONTHS[month - 1]} {ordinal(day)}, {year}" if 1 <= month <= 12 and 1 <= day <= 31 else found[0]


def _days_month(found: re.Match[str]) -> str:
    joint = "and" if "and" in found[0] else "or" if " or " in found[0] else "to"
    first, last = ordinal(int(found[2])), ordinal(int(found[3]))
    return f"{_the(found)} {first} {joint} {last} of {_month(found[4])}"


def _decade(found: re.Match[str]) -> str:
    said = re.sub("y?s$", "ies", f"{cardinal(10 * int(found[2]))}s") if found[2] != "1" else "tens"
    return f"{cardinal(int(found[1]))} {said}" if found[1] else said


def _clock(found: re.Match[str]) -> str:
    return _at(int(found[1]), found[2], found["half"]) + _stop(found)


def _half(found: re.Match[str]) -> str:
    return f" {found['half'].strip()[0].upper()} M" + _stop(found)


def _at(hour: int, minute: str, half: str | None = None) -> str:
    said = f" {half.strip()[0].upper()} M" if half else ""
    if minute == "00":
        return f"{hour}{said or OCLOCK}"
    return f"{hour} {'oh ' + minute[1] if minute[0] == '0' else minute}{said}"


def _stop(found: re.Match[str]) -> str:
    """Return the full stop that an abbreviation shared with its sentence."""
    after = found.string[found.end() : found.end() + 2]
    ends = found[0].endswith(".") and (not after.strip() or (after[:1].isspace() and after[1:2].isupper()))
    return "." if ends else ""
