"""Numbers in English words."""

import re

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
MOST = 999_999_999
ROMAN = re.compile(r"X{0,3}(?:IX|IV|V?I{0,3})")
"""I to XXXIX: longer ones are no names' numbers, and some are words."""

_PARTS = {2: ("half", "halves"), 3: ("third", "thirds"), 4: ("quarter", "quarters")}


def cardinal(number: int) -> str:
    """Return "two hundred and five" for 205; 0 to MOST."""
    for size, name in _SCALES:
        if number >= size:
            rest = number % size
            joint = " and " if rest < 100 else " "
            return f"{cardinal(number // size)} {name}{joint + cardinal(rest) if rest else ''}"
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10] + (f" {_ONES[number % 10]}" if number % 10 else "")


def ordinal(number: int) -> str:
    """Return "twenty third" for 23; 0 to MOST."""
    head, _, last = cardinal(number).rpartition(" ")
    if last not in _ORDINALS:
        last = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return f"{head} {_ORDINALS.get(last, last)}".strip()


def fraction(part: int, of: int) -> str:
    """Return "three quarters" for 3/4."""
    one, many = _PARTS.get(of) or (ordinal(of), f"{ordinal(of)}s")
    return f"{cardinal(part)} {one if part == 1 else many}"


def digits(text: str) -> str:
    """Return each digit of `text` as a word, groups set off by commas; what is neither parts them."""
    groups = re.findall(r"\d+", text)
    return ", ".join(" ".join(_ONES[int(digit)] for digit in group) for group in groups)


def roman(numeral: str) -> int:
    """Return the value of a numeral that ROMAN matches."""
    total = 0
    for letter, after in zip(numeral, [*numeral[1:], ""], strict=True):
        value = {"I": 1, "V": 5, "X": 10}[letter]
        total += -value if {"I": 1, "V": 5, "X": 10}.get(after, 0) > value else value
    return total
