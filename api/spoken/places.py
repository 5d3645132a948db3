"""How far a client has come in a conversation's events: what it says when it comes back."""

import re
from dataclasses import dataclass

from pipelines.stores.events import START, place
from schemas.errors.requests import InvalidRequest

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TOKEN = re.compile(rf"([0-9-]+)(?::([0-9-]+)(?::({_UUID}):([0-9]{{1,6}})\.([0-9]{{1,6}}))?(?:\+({_UUID}))?)?")


@dataclass(frozen=True)
class Place:
    """How far a client has come. Its text is the `id` of every message.

    All events up to `safe` are done. Of those up to `seen` all but sound are done, and the sound of
    `turn_id` is done before part `part` of sentence `seq`: sentences are spoken by several workers,
    so what is later in the answer may be earlier in the stream. Of the turn `asked` nothing is done:
    it was not sure yet that it was asked.
    """

    safe: str = START
    seen: str = START
    turn_id: str = ""
    seq: int = 0
    part: int = 0
    asked: str = ""

    def __str__(self) -> str:
        if not self.turn_id and not self.asked and self.safe == self.seen:
            return self.safe
        answer = f":{self.turn_id}:{self.seq}.{self.part}" if self.turn_id else ""
        return f"{self.safe}:{self.seen}{answer}" + (f"+{self.asked}" if self.asked else "")

    @classmethod
    def read(cls, text: str) -> "Place":
        """Return the place that was written as `text`; the id of any event is one. Raises InvalidRequest."""
        found = _TOKEN.fullmatch(text)
        if found is None:
            raise InvalidRequest("`after` is not the id of a message.")
        safe, seen, turn_id, seq, part, asked = found.groups()
        place(safe), place(seen or safe)
        return cls(safe, seen or safe, turn_id or "", int(seq or 0), int(part or 0), asked or "")
