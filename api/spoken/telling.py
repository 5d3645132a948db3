"""What a client is told of its conversation's events, in order, each once, wherever its connection was cut."""

import base64
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from api.spoken.floor import Floor
from api.spoken.places import Place
from api.spoken.playback import Playback
from api.spoken.talk import Message, State
from pipelines.stores.events import Published, place
from schemas.events import EventName

OPENING = frozenset({EventName.TURN_TRANSCRIPT, EventName.TURN_RETRIEVED, EventName.TURN_STARTED})
"""Events that are among a turn's first."""


class Telling:
    """Turns events into messages. Used by the thread that writes; `adopts` belongs to the floor's lock."""

    def __init__(self, floor: Floor, resume: Place, adopts: bool) -> None:
        self._floor = floor
        # Events up to `_known` were told before the cut; `_at` is how far the stream is read since.
        self._known, self._at = resume.seen, resume.safe
        self._asked = resume.asked
        self._once: deque[tuple[str, str]] = deque(maxlen=16)
        # A client that comes back may find an answer on its way that this session did not ask for.
        self.adopts = adopts

    def place(self) -> Place:
        """Return how far the client has come, with all that was given out to it."""
        floor = self._floor
        answer = floor.answer if floor.answer and not floor.answer.completed else None
        seen = max(self._at, self._known, key=place)
        turns = [floor.asked.turn_id if floor.asked else "", answer.turn_id if answer else ""]
        kept = {turn_id: at for turn_id in turns if (at := floor.withheld.safe(turn_id)) is not None}
        safe = min([*kept.values(), answer.safe or self._at if answer else self._at], key=place)
        where = (answer.turn_id, answer.seq, answer.part) if answer else ("", 0, 0)
        return Place(safe, seen, *where, asked=next(iter(kept), ""))

    def relay(self, event: Published) -> Iterator[Message]:
        """Yield what the client is to be told about an event of its conversation, in order.

        A `turn.audio` carries its sound as bytes in `audio`. The lock is held only between two of them.
        """
        with self._floor.lock:
            before, self._at = self._at, event.id
            messages = self._messages(event, before)
        return self._locked(messages)

    def due(self) -> Iterator[Message]:
        """Yield what was held or kept back and may be told now."""
        return self._locked(self._due())

    def _locked(self, messages: Iterator[Message]) -> Iterator[Message]:
        while True:
            with self._floor.lock:
                message = next(messages, None)
            if message is None:
                return
            yield message

    def _due(self) -> Iterator[Message]:
        if (answer := self._floor.answer) is not None:
            for kept in self._floor.withheld.release(answer.turn_id):
                yield from self._told(kept.event, kept.before, known=False)
        if (answer := self._floor.answer) is not None:
            yield from self._sounds(answer, answer.due())

    def _messages(self, event: Published, before: str) -> Iterator[Message]:
        floor, turn_id = self._floor, str(event.data.get("turn_id", ""))
        if turn_id in floor.ended:
            return
        known = place(event.id) <= place(self._known) and turn_id != self._asked
        if not known and self._is_unsure(turn_id, event):
            floor.withheld.keep(turn_id, before, event)
            if floor.asked is not None and floor.asked.turn_id == turn_id:
                floor.asked.learn(event.name, event.data)
            return
        if self.adopts and floor.answer is None and not known and event.name in OPENING:
            floor.give(Playback(turn_id))
        # It is sure by now: what was kept back of it comes first.
        for kept in floor.withheld.release(turn_id):
            yield from self._told(kept.event, kept.before, known=False)
        yield from self._told(event, before, known)

    def _is_unsure(self, turn_id: str, event: Published) -> bool:
        """Return whether it is open yet that the event's turn was asked at all."""
        floor = self._floor
        if floor.answer is not None and floor.answer.turn_id == turn_id:
            return False
        return bool(event.data.get("speculative")) or (floor.asked is not None and floor.asked.turn_id == turn_id)

    def _told(self, event: Published, before: str, known: bool) -> Iterator[Message]:
        floor = self._floor
        data = {name: value for name, value in event.data.items() if name != "speculative"}
        turn_id = str(data.get("turn_id", ""))
        answer = floor.answer if floor.answer and floor.answer.turn_id == turn_id else None
        if event.name == EventName.TURN_AUDIO:
            if answer is not None and data.get("filler"):
                yield from () if known else self._filler(answer, data)
            elif answer is not None:
                yield from self._sounds(answer, answer.add(data, before, len(event.body)))
            return
        # What failed may have something to say before: that it broke off, or that it did not understand.
        failed = event.name == EventName.TURN_FAILED
        if answer is not None and (event.name == EventName.TURN_COMPLETED or (failed and answer.sounds)):
            yield from self._sounds(answer, answer.finish(data, before))
            return
        if answer is not None and event.name == EventName.TURN_SENTENCE:
            answer.heard.says(int(data["seq"]), str(data["text"]))
        elif answer is not None and (failed or event.name == EventName.TURN_CANCELLED):
            floor.end(answer)
        if not known and not self._said_before(turn_id, event.name):
            yield data

    def _said_before(self, turn_id: str, name: str) -> bool:
        """Return whether this was told of the turn already: what is found early is told again once it is asked."""
        if name not in (EventName.TURN_TRANSCRIPT, EventName.TURN_RETRIEVED):
            return False
        if (turn_id, name) in self._once:
            return True
        self._once.append((turn_id, name))
        return False

    def _filler(self, answer: Playback, data: Mapping[str, Any]) -> Iterator[Message]:
        """Yield sound that bridges the time until the answer begins, nothing once it has."""
        pcm = base64.b64decode(data.get("audio") or b"")
        if pcm and not answer.begun:
            answer.fills(len(pcm) / 2 / int(data["sample_rate_hz"]))
            yield {**data, "audio": pcm, "settle": True}

    def _sounds(self, answer: Playback, parts: Iterable[Mapping[str, Any]]) -> Iterator[Message]:
        for data in parts:
            if data["type"] != EventName.TURN_AUDIO:
                yield dict(data)
                continue
            pcm = base64.b64decode(data.get("audio") or b"")
            answer.sends(data, len(pcm) / 2 / int(data["sample_rate_hz"]) if pcm else 0.0)
            if pcm:
                self._floor.sent.append((pcm, int(data["sample_rate_hz"])))
                if self._floor.state is State.THINKING:
                    self._floor.go(State.SPEAKING)
            # `settle`: the next part is not there yet, so an encoder keeps nothing back of this one.
            yield {**data, "audio": pcm, "settle": bool(data["last"]) and not answer.waits}
            if self._floor.answer is not answer:
                return
