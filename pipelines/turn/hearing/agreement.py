"""Which words of a growing utterance are settled: those that two transcripts in a row agree on.

LocalAgreement-2 of Liu et al. 2020, as Macháček et al. 2023 use it on Whisper: what is settled never changes, what
follows it may. The sound before settled sentences can be dropped, so that an utterance stays cheap however long it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MARKS = ".,;:!?…\"'”’»)]}。、，！？；：」』"
"""What stands behind a word and is not part of it: whether it is a full stop is often known a word later."""

# Scripts that put no spaces between words: there each letter counts as one.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"(\s*)([{_UNSPACED}]|[^\s{_UNSPACED}]+)")
_LETTERS = re.compile(r"\W+")


@dataclass(frozen=True)
class Word:
    """A word as it is written: the space before it, itself, and the marks behind it."""

    space: str
    core: str
    marks: str

    @property
    def key(self) -> str:
        """Return what must be equal for two words to be the same."""
        return _LETTERS.sub("", self.core).casefold() or self.core

    def __str__(self) -> str:
        return f"{self.space}{self.core}{self.marks}"


@dataclass(frozen=True)
class Partial:
    """What has been understood so far; `text` begins with `stable`, and so does every later text."""

    text: str = ""
    stable: str = ""


def words(text: str) -> list[Word]:
    """Return the words of a text; marks that stand alone belong to the word before them."""
    found: list[Word] = []
    for space, written in _WORD.findall(text.strip()):
        core = written.rstrip(MARKS)
        if core:
            found.append(Word(space, core, written[len(core) :]))
        elif found:
            last = found[-1]
            found[-1] = Word(last.space, last.core, last.marks + written)
    return found


class Agreement:
    """The transcripts of one utterance, each of more of its sound than the one before."""

    def __init__(self) -> None:
        self._stable: list[Word] = []
        self._dropped = 0
        """Settled words whose sound is dropped: no transcript begins with them any more."""
        self._rest: list[Word] = []
        self._marks = ""
        """The marks behind the last settled word, as the newest transcript has them."""
        self.said = Partial()

    def hear(self, text: str) -> Partial:
        """Take the transcript of all sound that was not dropped, and return what is understood."""
        heard = words(text)
        expected = self._stable[self._dropped :]
        at = _covered(expected, heard)
        if expected and at:
            self._marks = heard[at - 1].marks
        rest = heard[at:]
        for before, now in zip(self._rest, rest, strict=False):
            if before.key != now.key:
                break
            self._settle(now)
        self._rest = rest[len(self._stable) - self._dropped - len(expected) :]
        settled = self._written()
        self.said = Partial("".join(map(str, [settled + self._marks, *self._rest])).strip(), settled.strip())
        return self.said

    def drop(self, sentences: str) -> bool:
        """Say that the sound of `sentences`, with which the last transcript began, is to be dropped.

        False where their words are not all settled as they were heard: the sound is still needed.
        """
        gone = [word.key for word in words(sentences)]
        here = [word.key for word in self._stable[self._dropped :]]
        if not gone or here[: len(gone)] != gone:
            return False
        self._dropped += len(gone)
        return True

    def _settle(self, word: Word) -> None:
        if self._stable:
            last = self._stable[-1]
            self._stable[-1] = Word(last.space, last.core, self._marks)
            # After a drop a transcript begins without the space that the sentence before it needs.
            space = word.space or (" " if _spaced(last.core, word.core) else "")
        else:
            space = ""
        self._stable.append(Word(space, word.core, ""))
        self._marks = word.marks

    def _written(self) -> str:
        return "".join(map(str, self._stable))


def _spaced(before: str, after: str) -> bool:
    """Return whether a space belongs between two words that no transcript has side by side."""
    return not (re.match(f"[{_UNSPACED}]", before[-1]) and re.match(f"[{_UNSPACED}]", after[0]))


def _covered(expected: Sequence[Word], heard: Sequence[Word]) -> int:
    """Return how many of the words `heard` stand for those `expected` at their beginning.

    A later transcript may have a settled word otherwise, or as two: then the beginning with the fewest differences
    counts (Levenshtein; of several one that ends with the last settled word, then the one nearest in length).
    """
    count = len(expected)
    if [word.key for word in expected] == [word.key for word in heard[:count]]:
        return count
    costs = list(range(len(heard) + 1))
    for row, wanted in enumerate(expected, start=1):
        diagonal, costs[0] = costs[0], row
        for column, found in enumerate(heard, start=1):
            changed = diagonal + (wanted.key != found.key)
            diagonal = costs[column]
            costs[column] = min(changed, costs[column] + 1, costs[column - 1] + 1)
    ends = [False, *(word.key == expected[-1].key for word in heard)]
    return min(range(len(heard) + 1), key=lambda length: (costs[length], not ends[length], abs(length - count)))
