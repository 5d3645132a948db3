"""Who has the floor: the one owner of a conversation's state, of its answer and of the turn that may be."""

import threading
from collections import deque
from collections.abc import Callable

from api.spoken.playback import Playback
from api.spoken.speculation import Speculation, Withheld
from api.spoken.talk import Message, State
from schemas.events import EventName, SessionEvent

DUCKED_GAIN = 0.25
"""How loud an answer is played while it is not sure that somebody interrupts it."""

MAX_SENT = 64
"""Pieces of sound that the ears have not taken note of; of a client that sends nothing there is no echo."""


class Floor:
    """The state of one conversation. `lock` is held by whoever reads or changes it; no method takes it.

    Each change of the state is told to the client. `talking` is whether somebody speaks or waits to be understood,
    `answer` is what is being made or heard, `asked` a turn that is
    not sure yet, `withheld` what such turns tell, `ended` those of which nothing more is told.
    """

    def __init__(self, tell: Callable[[Message], None]) -> None:
        self.lock = threading.Lock()
        self.state = State.LISTENING
        self.talking = False
        self.answer: Playback | None = None
        self.asked: Speculation | None = None
        self.withheld = Withheld()
        # Sound that has gone out, with its rate, for the ears to know its echo.
        self.sent: deque[tuple[bytes, int]] = deque(maxlen=MAX_SENT)
        self.ended: deque[str] = deque(maxlen=64)
        self.tell = tell

    def status(self) -> Message:
        """Return the state and, while there is an answer, its turn."""
        return {"state": self.state, "turn_id": self.answer.turn_id if self.answer else None}

    def go(self, state: State) -> None:
        """Change the state."""
        if state is not self.state:
            self.state = state
            self.tell({"type": SessionEvent.STATE, **self.status()})

    def give(self, answer: Playback) -> None:
        """Give the floor to an answer."""
        self.answer, self.talking = answer, False
        self.go(State.SPEAKING if answer.begun else State.THINKING)

    def hush(self) -> None:
        """Note that nobody speaks, and that nothing comes of what was said."""
        self.talking = False
        if self.answer is None:
            self.go(State.LISTENING)

    def end(self, answer: Playback) -> None:
        """Take the floor from an answer, of which nothing more is told; who speaks has it then."""
        self.ended.append(answer.turn_id)
        self.withheld.forget(answer.turn_id)
        self.answer = None
        self.go(State.HEARING if self.talking else State.LISTENING)

    def duck(self, answer: Playback) -> None:
        """Have the answer played more quietly."""
        self._tell_of(SessionEvent.PLAYBACK_DUCK, answer, gain=DUCKED_GAIN)

    def hold(self, answer: Playback) -> None:
        """Have the answer stop where it is, with all that is still to come of it."""
        answer.hold()
        self._tell_of(SessionEvent.PLAYBACK_PAUSE, answer)
        self.go(State.HEARING)

    def go_on(self, answer: Playback) -> None:
        """Have the answer go on where it stopped, as loud as before."""
        answer.release()
        self._tell_of(SessionEvent.PLAYBACK_RESUME, answer)
        self.go(State.SPEAKING)

    def cut(self, answer: Playback, reason: str) -> None:
        """Have the answer stop for good."""
        about = {"turn_id": answer.turn_id, "reason": reason, "played_ms": _played_ms(answer)}
        self.tell({"type": EventName.TURN_CANCELLED, **about})
        self.end(answer)

    def forget_asked(self) -> Speculation | None:
        """Take back the turn that was not sure, and return it."""
        asked, self.asked = self.asked, None
        if asked is not None:
            self.ended.append(asked.turn_id)
            self.withheld.forget(asked.turn_id)
        return asked

    def _tell_of(self, name: SessionEvent, answer: Playback, **about: object) -> None:
        self.tell({"type": name, "turn_id": answer.turn_id, "played_ms": _played_ms(answer), **about})


def _played_ms(answer: Playback) -> int:
    """Return how much of a turn's sound was played, as its client counts it."""
    return round(answer.filler_ms + answer.played_ms)
