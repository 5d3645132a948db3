"""Where the first clause of a long sentence ends: what can be spoken while the rest is still being written."""

import re

MIN_WORDS_BEFORE = 4
"""Words of a first clause: about 1.2 s of sound, in which the rest is written and its voice begins."""

MIN_WORDS_AFTER = 3
"""Words that must follow in the same sentence: a shorter rest is not worth a pause."""

MAX_CHARS = 400
"""How far a first clause may reach. A sentence without one until there is spoken as a whole."""

_MARKERS = r"(?:\s?\[\d{1,3}\])*"
_LINKS = (
    "but|because|although|though|while|whereas|unless|until|since|which|where|when|whenever|whether|if|so that|"
    "provided that|as long as|(?:and|or|so|then) (?:i|it|you|we|they|he|she|there|this|that|these|those|if|when)"
)
_CUT = re.compile(
    rf"[,;]{_MARKERS}(?=\s)|{_MARKERS}(?=\s[–—]\s)|(?<=\w)—(?=\w)|{_MARKERS}(?=\s(?:{_LINKS})\b)", re.IGNORECASE
)
"""After a comma or semicolon and the markers behind it, at a dash, or before a word that begins a clause."""

_AFTER = re.compile(rf"\s*(?:[–—]\s*)?((?:\S+\s+){{{MIN_WORDS_AFTER}}})")
_LAST_MARKERS = re.compile(rf"{_MARKERS}$")
_CLOSERS = "\"'”’»)]*_`"
_OPENERS = (("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("«", "»"))
_EVEN = ('"', "`", "**")
_CLINGS = frozenset(
    "a an the of in on at to for from by with and or but no not nor even as just only than about then so that".split()
)
"""Words that belong to what follows them: "even if", "for a while"."""


class FirstClause:
    """Looks for the end of the first clause in a text that grows.

    What it finds depends on the text alone, never on how much of it came at a time: a place is decided
    once the words after it have come.
    """

    def __init__(self) -> None:
        self._tried = 0

    def end(self, text: str) -> int | None:
        """Return where the first clause of `text` ends; None where there is none, or none yet."""
        for found in _CUT.finditer(text, self._tried, MAX_CHARS):
            at = found.end()
            after = _AFTER.match(text, at, at + MAX_CHARS)
            if after is None and len(text) < at + MAX_CHARS:
                return None  # More words may come.
            self._tried = at
            if after and _is_fit(text[:at], after[1]):
                return at
        return None


def _is_fit(before: str, after: str) -> bool:
    """Tell whether `before` can stand alone and `after` goes on with the same sentence."""
    said = _LAST_MARKERS.sub("", before)
    words, following = said.split(), after.split()
    if len(words) < MIN_WORDS_BEFORE or "\n" in after or any(map(_ends, following)):
        return False
    last = words[-1].rstrip(",;")
    if not last or _ends(last) or last.lower() in _CLINGS or following[0][0].isdigit():
        return False  # "e.g., ", "even if", "on 3 May, 2021"
    if last[0].isupper() and following[0][0].isupper():
        return False  # "Paris, France"
    return _is_closed(before)


def _ends(word: str) -> bool:
    return word.rstrip(_CLOSERS).endswith((".", "!", "?", "…", ":", "。"))


def _is_closed(text: str) -> bool:
    """Tell whether no quotation, bracket or code is open at the end of `text`."""
    return all(text.count(mark) % 2 == 0 for mark in _EVEN) and all(
        text.count(opening) == text.count(closing) for opening, closing in _OPENERS
    )
