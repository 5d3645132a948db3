"""What a person asks becomes a turn: at once, or before it is sure that the question is whole."""

import time
from typing import Any
from uuid import UUID

import structlog

from api.spoken.floor import Floor
from api.spoken.playback import Playback
from api.spoken.speculation import Speculation
from api.spoken.talk import Acts, State, Talk
from api.spoken.telling import Telling
from pipelines.ports.sound import STT_RATE_HZ, Audio
from pipelines.turn.sound.audio import pcm16
from schemas.errors.tree import AuraError

MAX_JOINED_S = 60.0
"""Longest question that is put together from pieces."""

MAX_SPECULATIONS = 3
"""Turns begun early for one utterance: whoever pauses more often than that is waited for."""

log = structlog.get_logger(__name__)


class Asking:
    """Asks one question after another. Used by the thread that reads."""

    def __init__(self, talk: Talk, acts: Acts, floor: Floor, telling: Telling) -> None:
        self._talk, self._acts, self._floor, self._telling = talk, acts, floor, telling
        # What was said before and is not answered yet, PCM16 at 16 kHz.
        self._beginning = b""
        self._begun_early = 0

    def begins(self) -> None:
        """Take note that somebody begins to speak: the rest of the same question, where that has no answer yet."""
        answer = self._floor.answer
        unanswered = answer is not None and not answer.begun
        if not unanswered or len(self._beginning) > MAX_JOINED_S * STT_RATE_HZ * 2:
            self._beginning = b""
        self._begun_early = 0

    def early(self, utterance: Audio, at_s: float, timings: dict[str, Any], answered: bool) -> None:
        """Begin a turn for what was said up to a pause at `at_s`, unless there were too many; told to nobody yet.

        `answered` lets its answer be made too, where the client wants that.
        """
        self.drop()
        if self._begun_early >= MAX_SPECULATIONS:
            return
        self._begun_early += 1
        accepted_at = time.monotonic()
        try:
            turn_id = self._started(
                utterance=self._beginning + pcm16(utterance.samples),
                speculative=True,
                speculative_generation=answered and self._talk.speculative_generation,
                timings=timings,
            )
        except AuraError as error:
            # Nobody waits for it: it is asked again when the utterance is whole.
            log.warning("turn.not_speculated", code=error.code)
            return
        with self._floor.lock:
            self._telling.adopts = False
            self._floor.asked = Speculation(str(turn_id), utterance, at_s, accepted_at)
            self._floor.withheld.learnt(self._floor.asked)

    def drop(self) -> None:
        """Take back the turn that was begun early, if any."""
        with self._floor.lock:
            asked = self._floor.forget_asked()
        if asked is None:
            return
        try:
            self._acts.drop_turn(self._talk.caller, UUID(asked.turn_id))
        except AuraError as error:
            # It ends by itself, since nobody confirms it.
            log.warning("turn.not_dropped", turn_id=asked.turn_id, code=error.code)

    def whole(self, utterance: Audio) -> float:
        """Note that the utterance is whole, and return how long the question is, in seconds."""
        self._beginning += pcm16(utterance.samples)
        return len(self._beginning) / 2 / STT_RATE_HZ

    def spoken(self, utterance: Audio, endpoint_ms: float) -> None:
        """Ask what was said, which is whole by now: the turn begun early for it, if there is one, else a new one.

        `endpoint_ms` is how long ago it ended.
        """
        asked = self._floor.asked
        if asked is not None and asked.utterance is utterance and self._confirmed(asked, endpoint_ms):
            return
        self.drop()
        self.now(utterance=self._beginning, timings={"speech_end_ms": -endpoint_ms, "endpoint_ms": endpoint_ms})

    def typed(self, text: str) -> None:
        """Ask by text."""
        self._beginning = b""
        self.drop()
        self.now(question=text)

    def now(self, **asked: Any) -> None:
        """Start a turn that is sure. Raises what `Acts.start_turn` does; then nobody has the floor."""
        # The lock is held meanwhile: the turn's first events must not overtake its id.
        with self._floor.lock:
            self._telling.adopts = False
            accepted_at = time.monotonic()
            try:
                turn_id = self._started(**asked)
            except AuraError:
                self._floor.talking = False
                self._floor.go(State.LISTENING)
                raise
            self._give(str(turn_id), accepted_at)

    def _confirmed(self, asked: Speculation, endpoint_ms: float) -> bool:
        """Let a turn that was begun early go on; False where it has to be asked anew."""
        with self._floor.lock:
            if (asked.failed and not asked.is_nothing) or self._floor.withheld.lost(asked.turn_id):
                return False
            self._floor.asked = None
            # Before it is confirmed: from then on its events are meant for the client.
            self._give(asked.turn_id, asked.accepted_at)
        if asked.is_nothing:
            return True
        try:
            if self._acts.confirm_turn(self._talk.caller, UUID(asked.turn_id), {"endpoint_ms": endpoint_ms}):
                return True
        except AuraError as error:
            log.warning("turn.not_confirmed", turn_id=asked.turn_id, code=error.code)
        with self._floor.lock:
            if self._floor.answer is None or self._floor.answer.turn_id != asked.turn_id:
                return True  # It has failed meanwhile, and the client was told.
            self._floor.talking = True
            self._floor.end(self._floor.answer)
        return False

    def _give(self, turn_id: str, accepted_at: float) -> None:
        answer = Playback(turn_id, paced=self._talk.paced)
        answer.accepted_at, answer.asked_at = accepted_at, time.monotonic()
        self._floor.give(answer)

    def _started(self, **asked: Any) -> UUID:
        talk = self._talk
        if talk.recorded:
            asked["recorded"] = True
        return self._acts.start_turn(
            talk.caller,
            talk.conversation_id,
            assistant_key=talk.assistant_key,
            spoken=True,
            language=talk.language,
            **asked,
        )
