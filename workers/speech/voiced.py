"""What was understood, and a speech on its way: by whom, and when its words are said."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.ports.sound import Transcript, Word
from pipelines.turn.speaking.sounding import Sounding
from workers.spending import budget


@dataclass(frozen=True)
class Heard:
    """What was understood, by whom; `call` is settled by itself at the end, or in the caller's transaction before."""

    transcript: Transcript
    provider: str
    model: str
    call: budget.Call

    @property
    def named(self) -> dict[str, str]:
        """Return by whom, as a turn's timings show it."""
        return {"provider": self.provider, "model": self.model}


class Spoken:
    """A speech on its way, by whom: iterate it for PCM16 in pieces of whole samples, at most half a second.

    `words` are those of what was given out so far of which it is told when they are said, in seconds from its start.
    """

    def __init__(
        self, provider: str, model: str, speaker: Sounding, first: bytes | None, rest: Iterator[bytes]
    ) -> None:
        self.provider, self.model = provider, model
        self.sample_rate_hz = speaker.sample_rate_hz
        self.given_bytes, self.parts, self._told = 0, 0, 0
        self._speaker, self._first, self._rest = speaker, first, rest

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            self.given_bytes += len(piece)
            self.parts += 1
            yield piece

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(self._speaker.words)

    def told(self) -> dict[str, Any]:
        """Return the words that were not told yet as a field of an event, `words`; no field where there are none."""
        new, self._told = self._speaker.words[self._told :], len(self._speaker.words)
        timed = [
            {"text": word.text, "start_ms": round(word.start_s * 1e3), "end_ms": round(word.end_s * 1e3)}
            for word in new
        ]
        return {"words": timed} if timed else {}

    @property
    def seconds(self) -> float:
        """Return how long what was given out lasts."""
        return self.given_bytes / 2 / self.sample_rate_hz

    @property
    def named(self) -> dict[str, str]:
        """Return by whom, as a turn's timings show it."""
        return {"provider": self.provider, "model": self.model}

    def _pieces(self) -> Iterator[bytes]:
        if self._first is not None:
            yield self._first
        yield from self._rest
