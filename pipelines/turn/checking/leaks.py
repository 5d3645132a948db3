"""Whether an answer repeats the instructions it was given.

A tenant's instructions often hold what is to be said ("We are open from nine to five"), so a sentence of them in an
answer is no leak. A run of words that goes on from one sentence of them into the next one is, and so are many runs
that are together a good part of them.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from pipelines.text import sentences

_WORD = re.compile(r"\w+")

HELD_WORDS = 5
"""From so many words in a row on, they are held back until the answer goes another way."""

MANY_WORDS = 14
"""A run of so many words that crosses from one sentence of the instructions into the next one is a leak."""

PART_WORDS, PART_SHARE = 30, 0.35
"""So many words, and such a share of the instructions, in runs of `HELD_WORDS` or more are a leak, too."""


class Leaks:
    """Fed with an answer as it comes, gives what does not repeat the instructions; `found` says that the rest does."""

    def __init__(self, instructions: str, passages: Sequence[str] = ()) -> None:
        self.found = False
        self._words = [word.casefold() for word in _WORD.findall(instructions)]
        self._sentence = _sentence_of_each_word(instructions)
        self._public = {pair for text in passages for pair in _runs(text)}
        self._after: dict[tuple[str, ...], list[int]] = {}
        for at in range(len(self._words) - 2):
            self._after.setdefault(tuple(self._words[at : at + 3]), []).append(at)
        self._last: list[str] = []
        self._starts: list[int] = []  # Where the words of the run that is going on stand in the instructions.
        self._run: list[str] = []
        self._told: set[int] = set()
        self._held = ""
        self._open = ""
        self._shown = 0  # Characters of `_open` that were passed on already.

    def feed(self, text: str) -> str:
        """Add text; return what is certain not to be a leak."""
        if self.found:
            return ""
        self._open += text
        passed = []
        while (word := _WORD.search(self._open)) and word.end() < len(self._open):
            passed.append(self._take(word))
            if self.found:
                return "".join(passed)
        if not self._held and len(self._run) < HELD_WORDS - 1:
            # The word that has only begun cannot be what makes a leak of so short a run.
            passed.append(self._open[self._shown :])
            self._shown = len(self._open)
        return "".join(passed)

    def flush(self) -> str:
        """Return what is left."""
        word = None if self.found else _WORD.search(self._open)
        said = self._take(word) if word else ""
        if self.found:
            return said
        said += self._held + self._open[self._shown :]
        self._held, self._open, self._shown = "", "", 0
        return said

    def _take(self, found: re.Match[str]) -> str:
        """Add a word with what stands before it; return what need not be held back any more."""
        text, word = self._open[self._shown : found.end()], found[0].casefold()
        self._open, self._shown = self._open[found.end() :], 0
        self._last = [*self._last[-2:], word]
        starts = [at + 1 for at in self._starts if at + 1 < len(self._words) and self._words[at + 1] == word]
        if not starts:
            starts = [at + 2 for at in self._after.get(tuple(self._last), ())]
            self._run = self._last[:-1] if starts else []
        self._starts = starts
        if not starts:
            said, self._held = self._held + text, ""
            return said
        self._run = [*self._run, word]
        self._held += text
        if len(self._run) < HELD_WORDS:
            said, self._held = self._held, ""
            return said
        self._judge()
        return ""

    def _judge(self) -> None:
        if self._is_public():
            return
        end, length = self._starts[0], len(self._run)
        first = end - length + 1
        crosses = any(self._sentence[a] != self._sentence[b] for a, b in pairwise(range(first, end + 1)))
        self._told |= set(range(first, end + 1))
        many = len(self._told) >= max(PART_WORDS, PART_SHARE * len(self._words))
        self.found = (length >= MANY_WORDS and crosses) or many

    def _is_public(self) -> bool:
        """Return whether the run stands in a passage as well: then it is the document that is quoted."""
        return all(run in self._public for run in _grams(self._run))


def _sentence_of_each_word(text: str) -> list[int]:
    found = []
    for number, (start, end) in enumerate(sentences(text)):
        found += [number] * len(_WORD.findall(text[start:end]))
    return found


def _runs(text: str) -> list[tuple[str, ...]]:
    return _grams([word.casefold() for word in _WORD.findall(text)])


def _grams(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + HELD_WORDS]) for at in range(len(words) - HELD_WORDS + 1)]
