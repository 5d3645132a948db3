"""What happens to an answer that somebody speaks into: it is played more quietly, held, cut or resumed."""

import math
import time
from uuid import UUID

import structlog

from api.spoken.barge_in import BargeIn, Step
from api.spoken.floor import Floor
from api.spoken.playback import Playback
from api.spoken.speculation import Speculation
from api.spoken.talk import Acts, Talk
from pipelines.turn.hearing.backchannel import is_short_sound
from pipelines.turn.hearing.heard import SpeechStopped, Voiced
from schemas.errors.tree import AuraError

BARGE_IN = "barge_in"

ECHO_MS = 6000.0
"""How long ago something may have been played that the microphone hears now."""

log = structlog.get_logger(__name__)


class Interrupting:
    """Follows one sound after another over one answer after another. Used by the thread that reads."""

    def __init__(self, talk: Talk, acts: Acts, floor: Floor) -> None:
        self._talk, self._acts, self._floor = talk, acts, floor
        self._barge_in = BargeIn(talk.barge_in)
        self._over: Playback | None = None

    @property
    def open(self) -> bool:
        """Return whether the answer waits for a decision."""
        return self._over is not None and self._over is self._floor.answer and self._barge_in.open

    def voiced(self, event: Voiced) -> None:
        """Take a voiced frame, which concerns an answer that can be heard."""
        answer = self._floor.answer
        if answer is None or not answer.begun:
            return
        if self._over is not answer:
            self._over, self._barge_in = answer, BargeIn(self._talk.barge_in)
        self._do(self._barge_in.voiced(event.voiced_ms, time.monotonic()))

    def false_alarm(self) -> None:
        """Take the word of the ears that it was nothing."""
        if self.open:
            self._do(self._barge_in.false_alarm())

    def understood(self, asked: Speculation, duration_s: float) -> Step | None:
        """Decide by what was said in `duration_s`; return what was decided, None where nothing was to be."""
        answer = self._over
        if answer is None or not self.open:
            return None
        with self._floor.lock:
            played = answer.heard.around(answer.played_ms, ECHO_MS)
        # Of what could not be transcribed nobody knows that it was nothing.
        said = None if asked.is_nothing else asked.transcript or "(?)"
        step = self._barge_in.understood(said, duration_s, played)
        self._do(step)
        return step

    def stopped(self, waits: bool) -> None:
        """Note that it is quiet again, though not understood; `waits` is whether a transcript will come."""
        self._barge_in.stopped(time.monotonic() if waits else -math.inf)

    def passed(self, stopped: SpeechStopped | None) -> Step | None:
        """Decide by the sound alone where a transcript has not come in time, as `understood`."""
        if not self.open or not self._barge_in.late(time.monotonic()):
            return None
        nothing = stopped is None or is_short_sound(stopped.sound)
        step = self._barge_in.decide(nothing)
        self._do(step)
        return step

    def meant(self) -> None:
        """Cut the answer: whoever spoke has said that they meant to."""
        if self.open:
            self._do(self._barge_in.decide(nothing=False))

    def cut(self, reason: str) -> None:
        """Stop the answer that is being made or heard, if any, and keep in the history what was heard of it."""
        with self._floor.lock:
            answer = self._floor.answer
            if answer is None:
                return
            played_ms = answer.played_ms
            heard, whole = answer.heard.text(played_ms), answer.completed and answer.heard.is_whole(played_ms)
            self._floor.cut(answer, reason)
        turn_id, caller = UUID(answer.turn_id), self._talk.caller
        try:
            if answer.begun and not whole and answer.knows_beginning:
                self._acts.cut_off(caller, turn_id, heard, round(played_ms), reason)
            elif not answer.completed:
                self._acts.cancel_turn(caller, turn_id, reason)
        except AuraError as error:
            # The client hears nothing of it any more; its workers only stop later.
            log.warning("turn.not_cancelled", turn_id=answer.turn_id, code=error.code)
        self.report(answer)

    def yield_floor(self) -> None:
        """Let an answer go that has been heard to its end."""
        with self._floor.lock:
            answer = self._floor.answer
            if answer is None or not answer.is_heard:
                return
            self._floor.end(answer)
        self.report(answer)

    def report(self, answer: Playback) -> None:
        """Add to the turn's waterfall when its sound went out and was heard."""
        if answer.accepted_at is None or answer.first_sent_at is None:
            return
        sent_ms = (answer.first_sent_at - answer.accepted_at) * 1000
        heard_at = answer.first_heard_at or answer.first_sent_at
        heard_ms = max(sent_ms, (heard_at - answer.accepted_at) * 1000)
        timings = {"first_audio_sent_ms": round(sent_ms, 1), "first_audio_heard_ms": round(heard_ms, 1)}
        try:
            self._acts.timed(self._talk.caller, UUID(answer.turn_id), timings)
        except AuraError as error:
            log.warning("turn.not_timed", turn_id=answer.turn_id, code=error.code)

    def _do(self, step: Step | None) -> None:
        answer = self._over
        if step is Step.CUT:
            self.cut(BARGE_IN)
        elif step is not None and answer is not None:
            with self._floor.lock:
                if self._floor.answer is not answer:
                    return
                match step:
                    case Step.DUCK:
                        self._floor.duck(answer)
                    case Step.HOLD:
                        self._floor.hold(answer)
                    case Step.GO_ON:
                        self._floor.go_on(answer)
