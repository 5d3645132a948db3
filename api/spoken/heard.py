"""What a listener has heard of an answer: its sentences, how long each sounds, and where the playing stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_SENTENCES = 2000
"""Of these an answer has a few dozen; the rest would be a fault of the model."""


@dataclass
class _Sentence:
    text: str = ""
    # How long each part of it sounds that was given out.
    parts: list[float] = field(default_factory=list)
    whole: bool = False
    # Where a provider says when each word ends, in ms from the sentence's start.
    words: list[tuple[str, float]] = field(default_factory=list)

    @property
    def sent_ms(self) -> float:
        return sum(self.parts)


class Heard:
    """Sentences of one answer and the sound given out of each, in order."""

    def __init__(self) -> None:
        self._sentences: dict[int, _Sentence] = {}

    @property
    def has_words(self) -> bool:
        """Return whether any sentence is there."""
        return bool(self._sentences)

    @property
    def sent_ms(self) -> float:
        """Return how much sound was given out."""
        return sum(sentence.sent_ms for sentence in self._sentences.values())

    def says(self, seq: int, text: str) -> None:
        """Note the words of a sentence."""
        if (sentence := self._sentence(seq)) is not None:
            sentence.text = text

    def sounds(self, seq: int, duration_ms: float, last: bool = False, words: Sequence[Mapping[str, Any]] = ()) -> None:
        """Note sound of a sentence that was given out; `words`, if known, have `text` and `end_ms` each."""
        if (sentence := self._sentence(seq)) is not None:
            sentence.parts.append(duration_ms)
            sentence.whole = sentence.whole or last
            sentence.words += [(str(word["text"]), float(word["end_ms"])) for word in words]

    def text(self, played_ms: float) -> str:
        """Return the words heard in the first `played_ms`, empty where none were: whole sentences, then whole words.

        The last sentence is cut where its words are known to end, else in proportion to its sound. A
        sentence that got no voice is heard where a later one is.
        """
        heard: list[str] = []
        silent: list[str] = []
        left_ms = played_ms
        for _, sentence in sorted(self._sentences.items()):
            if not sentence.sent_ms:
                silent += [sentence.text] if sentence.text else []
                continue
            if left_ms <= 0:
                break
            words = sentence.text if sentence.whole and left_ms >= sentence.sent_ms else _until(sentence, left_ms)
            if words:
                heard += [*silent, words]
            if len(words) < len(sentence.text):
                break
            silent = []
            left_ms -= sentence.sent_ms
        return " ".join(part for part in heard if part)

    def around(self, played_ms: float, before_ms: float) -> str:
        """Return the words that sounded in the last `before_ms` up to `played_ms`, by whole sentences."""
        found: list[str] = []
        at_ms = 0.0
        for _, sentence in sorted(self._sentences.items()):
            if at_ms < played_ms and at_ms + sentence.sent_ms > played_ms - before_ms:
                found.append(sentence.text)
            at_ms += sentence.sent_ms
        return " ".join(found)

    def is_whole(self, played_ms: float) -> bool:
        """Return whether all that was given out has been heard."""
        return played_ms >= self.sent_ms - 1

    def as_json(self) -> list[list[Any]]:
        """Return what `restored` reads."""
        rows = sorted(self._sentences.items())
        return [[seq, one.text, [round(part, 1) for part in one.parts], one.whole] for seq, one in rows]

    @classmethod
    def restored(cls, rows: Sequence[Sequence[Any]], seq: int, part: int) -> "Heard":
        """Return what was written by `as_json`, as it was before part `part` of sentence `seq` was given out."""
        heard = cls()
        for number, text, parts, whole in rows:
            heard.says(int(number), str(text))
            given = parts if number < seq else parts[:part] if number == seq else []
            for at, duration_ms in enumerate(given, start=1):
                heard.sounds(int(number), float(duration_ms), bool(whole) and at == len(parts))
        return heard

    def _sentence(self, seq: int) -> _Sentence | None:
        if seq not in self._sentences and len(self._sentences) >= MAX_SENTENCES:
            return None
        return self._sentences.setdefault(seq, _Sentence())


def _until(sentence: _Sentence, played_ms: float) -> str:
    """Return the whole words of a sentence that sounded within its first `played_ms`."""
    if sentence.words:
        return " ".join(word for word, end_ms in sentence.words if end_ms <= played_ms)
    # A sentence of which more is to come is not shorter than what has been sent of it.
    share = min(played_ms / sentence.sent_ms, 1.0) if sentence.whole else min(played_ms / _reckoned_ms(sentence), 1.0)
    letters = int(len(sentence.text) * share)
    if letters >= len(sentence.text):
        return sentence.text
    cut = sentence.text[:letters]
    # A word is heard when its last letter is.
    return cut.rstrip() if sentence.text[letters].isspace() else cut.rpartition(" ")[0].rstrip()


MS_PER_LETTER = 60.0
"""How long a letter sounds, about: for a sentence whose sound has not all been given out."""


def _reckoned_ms(sentence: _Sentence) -> float:
    return max(sentence.sent_ms, len(sentence.text) * MS_PER_LETTER)
