"""The words of an answer on their way to who reads along: the first at once, then twenty times a second."""

import time

from schemas.events import Event, EventName
from schemas.tables.dialogue import Turn
from workers import announce

EVERY_S = 0.05
"""Words that come faster are told together: an event costs all it passes through more than its words do."""


class Tokens:
    """Collects one answer's words. `due` and `rest` return the event that tells what was not told yet, if any."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._held: list[str] = []
        self._told_at = -EVERY_S

    def due(self, text: str) -> list[Event]:
        """Take some words; empty ones say that no others come for now, so nothing is held back."""
        if text:
            self._held.append(text)
        waits = text and time.monotonic() - self._told_at < EVERY_S
        return [] if waits else self.rest()

    def rest(self) -> list[Event]:
        """Return what is left: whatever is told next comes after it."""
        if not self._held:
            return []
        text, self._held = "".join(self._held), []
        self._told_at = time.monotonic()
        return [announce.of_turn(EventName.TURN_TOKEN, self._turn, text=text)]
