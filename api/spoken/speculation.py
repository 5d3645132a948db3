"""Turns that are begun before it is sure that their question is whole, and what is kept back of them until it is."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.ports.sound import Audio
from pipelines.stores.events import Published, place
from schemas.errors.sound import NoSpeech
from schemas.events import EventName

MAX_TURNS = 4
"""Unconfirmed turns of a conversation whose events are kept back; the oldest is forgotten for another."""

MAX_BYTES = 4 * 1024 * 1024
"""Events kept back of all of them: a minute of speech. A turn that says more is asked anew once it is sure."""


@dataclass
class Speculation:
    """A turn that was begun when somebody paused at `at_s`; `utterance` is what had been said by then.

    `accepted_at` is when that was, in monotonic seconds.
    """

    turn_id: str
    utterance: Audio
    at_s: float
    accepted_at: float
    # What has come of it, told by the thread that reads events to the one that decides.
    transcript: str | None = None
    language: str | None = None
    failed: str | None = None
    understood: bool = False

    @property
    def is_known(self) -> bool:
        """Return whether it is known by now what was said, if anything."""
        return self.transcript is not None or self.failed is not None

    @property
    def is_nothing(self) -> bool:
        """Return whether it held no words."""
        return self.failed == NoSpeech.code or (self.transcript is not None and not self.transcript.strip())

    def learn(self, name: str, data: Mapping[str, Any]) -> None:
        """Take from an event of the turn what matters here."""
        if name == EventName.TURN_TRANSCRIPT:
            self.transcript, self.language = str(data.get("text", "")), data.get("language")
        elif name in (EventName.TURN_FAILED, EventName.TURN_CANCELLED):
            self.failed = str(data.get("code") or data.get("reason") or name)


@dataclass(frozen=True)
class Kept:
    """An event that is kept back; `before` is the id of the event before it in the stream."""

    before: str
    event: Published


@dataclass
class _Turn:
    events: list[Kept] = field(default_factory=list)
    lost: bool = False


class Withheld:
    """Events of turns that are not sure yet, in order, within bounds."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, _Turn] = OrderedDict()
        self._bytes = 0

    def __contains__(self, turn_id: str) -> bool:
        return turn_id in self._turns

    def keep(self, turn_id: str, before: str, event: Published) -> None:
        """Keep an event back."""
        turn = self._turns.setdefault(turn_id, _Turn())
        if turn.lost or self._bytes + len(event.body) > MAX_BYTES:
            self._bytes -= sum(len(kept.event.body) for kept in turn.events)
            turn.events, turn.lost = [], True
        else:
            turn.events.append(Kept(before, event))
            self._bytes += len(event.body)
        while len(self._turns) > MAX_TURNS:
            self.forget(next(iter(self._turns)))

    def learnt(self, asked: "Speculation") -> None:
        """Let a turn know what was kept back of it before its id was known."""
        turn = self._turns.get(asked.turn_id)
        for kept in turn.events if turn else ():
            asked.learn(kept.event.name, kept.event.data)

    def lost(self, turn_id: str) -> bool:
        """Return whether the turn had more to tell than is kept back."""
        return turn_id in self._turns and self._turns[turn_id].lost

    def release(self, turn_id: str) -> Iterator[Kept]:
        """Yield what was kept back of the turn, each event once."""
        while (turn := self._turns.get(turn_id)) is not None and turn.events:
            kept = turn.events.pop(0)
            self._bytes -= len(kept.event.body)
            yield kept
        self._turns.pop(turn_id, None)

    def forget(self, turn_id: str) -> None:
        """Let what was kept back of the turn go."""
        if (turn := self._turns.pop(turn_id, None)) is not None:
            self._bytes -= sum(len(kept.event.body) for kept in turn.events)

    def safe(self, turn_id: str) -> str | None:
        """Return the id before the oldest event kept back of the turn; None where there is none."""
        turn = self._turns.get(turn_id)
        return min((kept.before for kept in turn.events), key=place, default=None) if turn else None
