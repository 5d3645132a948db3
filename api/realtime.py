"""A spoken conversation without its transport: who listens, who speaks, and what a client is told.

One lock owns the state. The reading thread brings sound and wishes, the writing thread brings the
conversation's events and takes what is to be sent; neither holds the lock while a client is slow.
"""

import base64
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import structlog
from numpy.typing import NDArray

from api.playback import Place, Playback
from api.talk import Acts, Ears, State, Talk
from pipelines.ports import STT_RATE_HZ
from pipelines.stores.events import Published, place
from pipelines.turn.audio import pcm16
from pipelines.turn.endpointing import Heard, SpeechStarted, SpeechStopped
from schemas.errors import AuraError, NoSpeech
from schemas.events import EventName

MAX_JOINED_S = 60.0
"""Longest question that is put together from pieces."""

GAP_S = 0.5
"""Missing sound that still counts as a late network; more is heard as silence."""

BARGE_IN = "barge_in"

log = structlog.get_logger(__name__)

Message = dict[str, Any]


class Session:
    """One spoken conversation. `tell` puts a message into the client's mailbox and never waits."""

    def __init__(
        self, talk: Talk, ears: Ears, acts: Acts, tell: Callable[[Message], None], resume: Place, adopts: bool
    ) -> None:
        self._talk, self._ears, self._acts, self._tell = talk, ears, acts, tell
        self._lock = threading.Lock()
        self._state = State.LISTENING
        self._answer: Playback | None = None
        self._ended: deque[str] = deque(maxlen=64)
        self._question = b""
        self._heard_at = time.monotonic()
        # Events up to `_known` were told before the cut; `_at` is how far the stream is read since.
        self._known, self._at = resume.seen, resume.safe
        # A client that comes back may find an answer on its way that this session did not ask for.
        self._adopts = adopts
        if resume.turn_id:
            self._answer = Playback(resume.turn_id, resume.seq, resume.part)
            self._state = State.SPEAKING if self._answer.begun else State.THINKING

    def status(self) -> Message:
        """Return the state and, while there is an answer, its turn."""
        answering = self._answer if self._state in (State.THINKING, State.SPEAKING) else None
        return {"state": self._state, "turn_id": answering.turn_id if answering else None}

    @property
    def tick_s(self) -> float:
        """Return how soon `pass_time` is to be called though the client sends nothing."""
        return {State.LISTENING: 2.0, State.HEARING: 0.1}.get(self._state, 0.25)

    # What the reading thread brings

    def hear(self, samples: NDArray[np.float32]) -> None:
        """Take 16 kHz mono sound as it comes."""
        self._heard_at = time.monotonic()
        self._react(self._ears.feed(samples))

    def pass_time(self) -> None:
        """Notice what happens without a message: called after each, and at least every `tick_s`.

        A client that stops sending in mid-sentence is heard as silence, so that what it said is
        answered; an answer that has been heard to its end leaves the floor.
        """
        now = time.monotonic()
        if self._state is State.HEARING and now - self._heard_at > GAP_S:
            silence_s, self._heard_at = now - self._heard_at - GAP_S, now - GAP_S
            self._react(self._ears.feed(np.zeros(int(silence_s * STT_RATE_HZ), np.float32)))
        self._yield_floor()

    def commit(self) -> None:
        """End the utterance now. Raises NoSpeech where none has begun."""
        found = self._ears.flush()
        self._react(found)
        if not any(isinstance(event, SpeechStopped) for event in found):
            raise NoSpeech

    def ask(self, text: str) -> None:
        """Ask by text; the answer is spoken. What was being answered is cancelled."""
        self.cancel("asked_anew")
        self._start(question=text)

    def cancel(self, reason: str = "client") -> None:
        """Stop the answer that is being made or heard, if any."""
        with self._lock:
            answer = self._answer
            if answer is None:
                return
            self._end_answer(answer)
            played_ms = round(answer.played_ms)
            self._tell(
                {"type": EventName.TURN_CANCELLED, "turn_id": answer.turn_id, "reason": reason, "played_ms": played_ms}
            )
        if not answer.completed:
            try:
                self._acts.cancel_turn(self._talk.caller, UUID(answer.turn_id), reason)
            except AuraError as error:
                # The client hears nothing of it any more; its workers only stop later.
                log.warning("turn.not_cancelled", turn_id=answer.turn_id, code=error.code)

    def played(self, turn_id: str, played_ms: float) -> None:
        """Take the client's word for how much of the answer it has played."""
        with self._lock:
            if self._answer and self._answer.turn_id == turn_id:
                self._answer.played(played_ms)

    def _yield_floor(self) -> None:
        with self._lock:
            answer = self._answer
            if answer and answer.completed and time.monotonic() >= answer.heard_at:
                self._end_answer(answer)

    def _react(self, happened: Sequence[Heard]) -> None:
        for event in happened:
            if isinstance(event, SpeechStarted):
                self._speech_started()
            elif isinstance(event, SpeechStopped):
                self._speech_stopped(pcm16(event.utterance.samples))

    def _speech_started(self) -> None:
        self._yield_floor()
        with self._lock:
            # Speech that goes on before anything was answered is the rest of the same question.
            unanswered = self._answer is not None and not self._answer.begun
            if not unanswered or len(self._question) > MAX_JOINED_S * STT_RATE_HZ * 2:
                self._question = b""
            self._tell({"type": EventName.TURN_SPEECH_STARTED})
            self._go(State.HEARING)
        self.cancel(BARGE_IN)

    def _speech_stopped(self, pcm: bytes) -> None:
        self.cancel(BARGE_IN)
        self._question += pcm
        duration_ms = round(len(self._question) / 2 / STT_RATE_HZ * 1000)
        self._tell({"type": EventName.TURN_SPEECH_STOPPED, "duration_ms": duration_ms})
        self._start(utterance=self._question)

    def _start(self, question: str | None = None, utterance: bytes | None = None) -> None:
        talk = self._talk
        # The lock is held meanwhile: the turn's first events must not overtake its id.
        with self._lock:
            self._adopts = False
            if utterance is None:
                self._question = b""
            try:
                turn_id = self._acts.start_turn(
                    talk.caller,
                    talk.conversation_id,
                    assistant_key=talk.assistant_key,
                    question=question,
                    utterance=utterance,
                    spoken=True,
                    language=talk.language,
                )
            except AuraError:
                self._go(State.LISTENING)
                raise
            self._answer = Playback(str(turn_id))
            self._go(State.THINKING)

    # What the writing thread brings

    def place(self) -> Place:
        """Return how far the client has come, with all that was given out to it."""
        answer, seen = self._answer, max(self._at, self._known, key=place)
        if answer is None or answer.completed:
            return Place(self._at, seen)
        return Place(answer.safe or self._at, seen, answer.turn_id, answer.seq, answer.part)

    def relay(self, event: Published) -> Iterator[Message]:
        """Yield what the client is to be told about an event of its conversation, in order.

        A `turn.audio` carries its sound as bytes in `audio`. The lock is held only between two of them.
        """
        with self._lock:
            before, self._at = self._at, event.id
            known = place(event.id) <= place(self._known)
            messages = self._messages(event, before, known)
        while True:
            with self._lock:
                message = next(messages, None)
            if message is None:
                return
            yield message

    def _messages(self, event: Published, before: str, known: bool) -> Iterator[Message]:
        data = event.data
        turn_id = str(data.get("turn_id", ""))
        if turn_id in self._ended:
            return
        if self._adopts and self._answer is None and not known and event.name in OPENING:
            self._answer = Playback(turn_id)
            self._go(State.THINKING)
        answer = self._answer if self._answer and self._answer.turn_id == turn_id else None
        if event.name == EventName.TURN_AUDIO:
            if answer is not None:
                yield from self._sounds(answer, answer.add(data, before))
            return
        if answer is not None and event.name == EventName.TURN_COMPLETED:
            yield from self._sounds(answer, answer.finish())
            answer.completed = True
        elif answer is not None and event.name in (EventName.TURN_FAILED, EventName.TURN_CANCELLED):
            self._end_answer(answer)
        if not known:
            yield data

    def _sounds(self, answer: Playback, parts: Iterator[Message]) -> Iterator[Message]:
        for data in parts:
            if self._answer is not answer:
                return
            pcm = base64.b64decode(data.get("audio") or b"")
            if pcm:
                answer.sends(pcm, int(data["sample_rate_hz"]))
            if pcm and self._state is State.THINKING:
                self._go(State.SPEAKING)
            yield {**data, "audio": pcm}

    def _end_answer(self, answer: Playback) -> None:
        self._ended.append(answer.turn_id)
        self._answer = None
        if self._state is not State.HEARING:
            self._go(State.LISTENING)

    def _go(self, state: State) -> None:
        if state is self._state:
            return
        self._state = state
        self._tell({"type": "state", **self.status()})


OPENING = frozenset({EventName.TURN_TRANSCRIPT, EventName.TURN_RETRIEVED, EventName.TURN_STARTED})
"""Events that are among a turn's first."""
