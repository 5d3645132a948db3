"""A spoken conversation without its transport: who listens, who speaks, and what a client is told.

The reading thread brings sound and wishes and decides; the writing thread brings the conversation's
events and takes what is to be sent. Neither holds the floor's lock while a client is slow.
"""

import math
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import structlog

from api.spoken.asking import Asking
from api.spoken.floor import Floor
from api.spoken.interrupting import Interrupting
from api.spoken.listening import Listening
from api.spoken.places import Place
from api.spoken.playback import Playback
from api.spoken.talk import Acts, Ears, HearsAlong, Message, Samples, State, Talk
from api.spoken.telling import Telling
from pipelines.stores.events import Published
from schemas.errors.tree import AuraError

SOON_S = 0.03
"""How soon is looked again while something is about to be decided and the client sends nothing."""

log = structlog.get_logger(__name__)


class Session:
    """One spoken conversation. `tell` puts a message into the client's mailbox and never waits."""

    def __init__(
        self,
        talk: Talk,
        ears: Ears,
        acts: Acts,
        tell: Callable[[Message], None],
        resume: Place,
        adopts: bool,
        answer: Playback | None = None,
        partials: HearsAlong | None = None,
    ) -> None:
        self._talk, self._acts = talk, acts
        self._floor = Floor(tell)
        self._telling = Telling(self._floor, resume, adopts)
        self._asking = Asking(talk, acts, self._floor, self._telling)
        self._interrupting = Interrupting(talk, acts, self._floor)
        self._listening = Listening(talk, ears, self._floor, self._asking, self._interrupting, tell, partials)
        if answer is not None:
            self._floor.answer = answer
            self._floor.state = State.SPEAKING if answer.begun else State.THINKING

    def status(self) -> Message:
        """Return the state and, while there is an answer, its turn."""
        return self._floor.status()

    @property
    def answer(self) -> Playback | None:
        """Return the answer that is being made or heard."""
        return self._floor.answer

    @property
    def tick_s(self) -> float:
        """Return how soon `pass_time` is to be called though the client sends nothing."""
        if self._floor.asked is not None or self._interrupting.open:
            return SOON_S
        if self._floor.state is State.THINKING and self._talk.filler_after_s is not None:
            return 0.1
        return {State.LISTENING: 2.0, State.HEARING: 0.1}.get(self._floor.state, 0.25)

    @property
    def rest_s(self) -> float:
        """Return how much sound may come before any of it has to be heard: nothing is decided later for that."""
        return self._listening.rest_s

    # What the reading thread brings

    def hear(self, samples: Samples) -> None:
        """Take 16 kHz mono sound as it comes."""
        self._listening.hear(samples)

    def pass_time(self) -> None:
        """Notice what happens without a message: called after each, and at least every `tick_s`.

        A client that stops sending in mid-sentence is heard as silent, so that what it said is
        answered; an answer that has been heard to its end leaves the floor.
        """
        self._listening.pass_time()
        self._interrupting.yield_floor()
        self._bridge()

    def commit(self) -> None:
        """End the utterance now. Raises NoSpeech where none has begun."""
        self._listening.commit()

    def ask(self, text: str) -> None:
        """Ask by text; the answer is spoken. What was being answered is cancelled."""
        self._listening.forget()
        self._interrupting.cut("asked_anew")
        self._asking.typed(text)

    def cancel(self, reason: str = "client") -> None:
        """Stop the answer that is being made or heard, if any."""
        self._interrupting.cut(reason)

    def played(self, turn_id: str, played_ms: float) -> None:
        """Take the client's word for how much of the answer it has played."""
        with self._floor.lock:
            if self._floor.answer and self._floor.answer.turn_id == turn_id:
                self._floor.answer.played(played_ms)

    def leave(self, stopped: bool) -> Playback | None:
        """End the session. Return the answer that is still being made or heard, unless the client has `stopped`.

        Whoever had paused when the line was cut had said something: it is answered, for when they come back.
        """
        if stopped:
            self._asking.drop()
            self.cancel("stopped")
        elif (asked := self._floor.asked) is not None and not self._interrupting.open and not asked.failed:
            self._floor.asked = None
            try:
                self._acts.confirm_turn(self._talk.caller, UUID(asked.turn_id), {})
            except AuraError as error:
                log.warning("turn.not_confirmed", turn_id=asked.turn_id, code=error.code)
        else:
            self._asking.drop()
        return self._floor.answer

    def _bridge(self) -> None:
        """Have a filler said where the assistant does so and the answer lets itself be waited for, once a turn."""
        after_s, answer = self._talk.filler_after_s, self._floor.answer
        if after_s is None or answer is None or answer.asked_at is None or answer.heard.has_words or answer.sounds:
            return
        if time.monotonic() - answer.asked_at >= after_s:
            answer.asked_at = None
            try:
                self._acts.say_filler(self._talk.caller, UUID(answer.turn_id))
            except AuraError as error:
                log.info("turn.no_filler", turn_id=answer.turn_id, code=error.code)

    # What the writing thread brings

    def place(self) -> Place:
        """Return how far the client has come, with all that was given out to it."""
        return self._telling.place()

    def relay(self, event: Published) -> Iterator[Message]:
        """Yield what the client is to be told about an event of its conversation, in order."""
        return self._telling.relay(event)

    def due(self) -> Iterator[Message]:
        """Yield what had to wait and may be told now."""
        return self._telling.due()

    def due_in_s(self) -> float:
        """Return in how many seconds `due` has something to yield, as far as is known now."""
        answer = self._floor.answer
        return math.inf if answer is None else answer.due_in_s()

    @property
    def ahead_s(self) -> float:
        """Return how many seconds of sound the client has been given that it has not played."""
        answer = self._floor.answer
        return 0.0 if answer is None else answer.heard_at - time.monotonic()

    @property
    def full(self) -> bool:
        """Return whether so much sound waits that no more events should be taken."""
        answer = self._floor.answer
        return answer is not None and answer.full
