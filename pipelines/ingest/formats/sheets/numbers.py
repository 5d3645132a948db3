"""Numbers of sheets as a person sees them: a number format is a small program that Excel runs to show a cell.

Dates come out as ISO 8601 whatever their order on the screen, and digits are not grouped, so that a
value is found by what it is rather than by where its sheet was made.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MAX_DIGITS = 30
_SECONDS_OF_DAY = 86_400
_LAST_DAY = 2_958_466
"""The day after 9999-12-31, the last one that a sheet can show."""

# Order matters: what is quoted, escaped or bracketed must not be read as a pattern.
_TOKENS = re.compile(
    r'"([^"]*)"?|\\(.)|\[\$([^\]-]*)[^\]]*\]|\[(h+|m+|s+)\]|\[[^\]]*\]|[_*].|(AM/PM|A/P)|(.)', re.I | re.S
)
_SIGNS = frozenset("$€£¥₹₽₩¢%‰")


@dataclass(frozen=True)
class Format:
    """How a cell shows its number: as a date, a time, a duration, or with so many digits."""

    date: bool = False
    time: bool = False
    seconds: bool = False
    duration: bool = False
    general: bool = False
    scientific: bool = False
    percent: bool = False
    least_digits: int = 0
    least_decimals: int = 0
    most_decimals: int = 0
    thousands: int = 0
    prefix: str = ""
    suffix: str = ""


GENERAL = Format(general=True)

# What the numbers below 164 stand for; files name these without their code. Those of East Asia are dates.
BUILTIN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    14: "m/d/yyyy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: "m/d/yyyy h:mm", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00",
    41: "#,##0", 42: "#,##0", 43: "#,##0.00", 44: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss",
    48: "0.0E+0",
    **dict.fromkeys((*range(27, 32), 36, *range(50, 55), 57, 58), "yyyy-mm-dd"),
    **dict.fromkeys((32, 33, 34, 35, 55, 56), "h:mm:ss"),
}  # fmt: skip


def number_format(code: str) -> Format:
    """Return what a format code says about positive numbers, and shows of the others but for their sign."""
    if code.strip().lower() in ("", "general", "@", "standard"):
        return GENERAL
    pattern, prefix, suffix, elapsed, half_days = _read(code)
    letters = set(pattern.lower())
    hours = bool(letters & {"h", "s"}) or half_days
    dates = bool(letters & {"y", "d"}) or ("m" in letters and not hours and not elapsed)
    if elapsed or hours or dates:
        return Format(date=dates, time=hours, seconds="s" in letters, duration=bool(elapsed) and not dates)
    if not letters & set("0#?") or "/" in pattern:
        return Format(general=True, prefix=prefix, suffix=suffix)
    mantissa = re.split("e[+-]", pattern.lower())[0]
    whole, _, decimals = mantissa.partition(".")
    trailing = re.search(r"[0#?](,+)[^0#?,]*$", mantissa)
    return Format(
        scientific=mantissa != pattern.lower(),
        percent="%" in pattern,
        least_digits=min(whole.count("0"), MAX_DIGITS),
        least_decimals=min(decimals.count("0"), MAX_DIGITS),
        most_decimals=min(sum(map(decimals.count, "0#?")), MAX_DIGITS),
        thousands=len(trailing.group(1)) if trailing else 0,
        prefix=prefix,
        suffix=suffix,
    )


def shown(raw: str, form: Format, from_1904: bool = False) -> str:
    """Return the number written as `raw` in the way that `form` shows it; `raw` itself where it cannot."""
    if form is GENERAL and len(raw) < 15 and raw.isascii() and raw.isdigit():
        return raw  # Most cells, and no need to count for them.
    try:
        number = Decimal(raw)
    except InvalidOperation:
        return raw
    if not number.is_finite() or abs(number.adjusted()) > 300:
        return raw
    if form.date or form.time or form.duration:
        return _moment(float(number), form, from_1904) or _general(number)
    if form.general:
        return f"{form.prefix}{_general(number)}{form.suffix}"
    return _fixed(number, form)


def _read(code: str) -> tuple[str, str, str, str, bool]:
    """Return a code's first section as (digits and letters, text before, text after, elapsed unit, AM/PM)."""
    pattern, texts, elapsed, half_days = "", ["", ""], "", False
    for match in _TOKENS.finditer(code):
        quoted, escaped, sign, span, half, char = match.groups()
        if char == ";":
            break
        literal = quoted or escaped or sign or (char if char in _SIGNS and char != "%" else "")
        if literal:
            texts[bool(set(pattern) & set("0#?"))] += literal
        elif span:
            elapsed = span
        elif half:
            half_days = True
        elif char:
            pattern += char
    before, after = (text if text.strip() else "" for text in texts)
    return pattern, before, after, elapsed, half_days


def _general(number: Decimal) -> str:
    """Return a number in at most 15 digits, as Excel keeps and shows it; very large and small ones with exponent."""
    value = float(number)
    if value == 0:
        return "0"
    short = Decimal(f"{value:.15g}").normalize()
    return f"{short:f}" if -10 < short.adjusted() < 16 else f"{value:.10G}"


def _fixed(number: Decimal, form: Format) -> str:
    if form.scientific:
        return f"{form.prefix}{number:.{form.most_decimals}E}{form.suffix}"
    # What a computer adds up is a hair off: 1234.4999999999999 means 1234.5.
    value = Decimal(f"{float(number):.15g}").scaleb(2 * form.percent - 3 * form.thousands)
    if value.adjusted() > MAX_DIGITS:
        return _general(number)
    value = value.quantize(Decimal(1).scaleb(-form.most_decimals), ROUND_HALF_UP)
    sign, digits = ("-" if value < 0 else ""), f"{abs(value):f}"
    whole, _, decimals = digits.partition(".")
    kept = decimals[: form.least_decimals] + decimals[form.least_decimals :].rstrip("0")
    text = whole.zfill(form.least_digits) + (f".{kept}" if kept else "")
    return f"{sign}{form.prefix}{text}{'%' if form.percent else ''}{form.suffix}"


def _moment(days: float, form: Format, from_1904: bool) -> str:
    """Return a date as 2024-03-01, a time as 14:30, both, or a duration as 26:30:00; nothing out of their range."""
    total = round(days * _SECONDS_OF_DAY)
    if form.duration or (not form.date and days < 0):
        minutes, seconds = divmod(abs(total), 60)
        sign = "-" if total < 0 else ""
        return f"{sign}{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    if not 0 <= days < _LAST_DAY - 1462 * from_1904:
        return ""
    # 1900 was no leap year, but sheets count as if it had been one.
    start = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 31 if days < 60 else 30)
    at = start + timedelta(seconds=total)
    clock = at.strftime("%H:%M:%S" if form.seconds else "%H:%M")
    if not form.date:
        return clock
    day = at.strftime("%Y-%m-%d").zfill(10)
    return f"{day} {clock}" if form.time else day
