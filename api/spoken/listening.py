"""What is heard of a person, and what comes of it: a question, an interruption, or nothing."""

from collections.abc import Callable, Sequence

import numpy as np

from api.spoken.arrival import Arrival
from api.spoken.asking import Asking
from api.spoken.barge_in import Step
from api.spoken.floor import Floor
from api.spoken.input_levels import InputLevels
from api.spoken.interrupting import BARGE_IN, Interrupting
from api.spoken.speculation import Speculation
from api.spoken.talk import Ears, HearsAlong, Message, Samples, State, Talk
from pipelines.ports.sound import STT_RATE_HZ, Audio
from pipelines.turn.hearing.heard import (
    EndReason,
    FalseAlarm,
    Heard,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
    Voiced,
)
from pipelines.turn.sound.resample import Resampler
from schemas.errors.sound import NoSpeech
from schemas.events import EventName

REST_S = 0.06
"""Sound that is heard at once where nothing can be decided before. A text message may have to wait as long, too."""

IDLE_S = 0.1
"""The same while nobody speaks and nothing is answered."""

SOON_S = 0.02
"""The same while a transcript may come that decides."""


class Listening:
    """Hears one person. Used by the thread that reads; `tell` puts a message into the client's mailbox."""

    def __init__(
        self,
        talk: Talk,
        ears: Ears,
        floor: Floor,
        asking: Asking,
        interrupting: Interrupting,
        tell: Callable[[Message], None],
        partials: HearsAlong | None,
    ) -> None:
        self._talk, self._ears, self._floor, self._tell, self._partials = talk, ears, floor, tell, partials
        self._asking, self._interrupting = asking, interrupting
        self._arrival, self._levels = Arrival(), InputLevels(ears, tell, talk.levels)
        self._heard_s = self._begun_s = 0.0
        self._resampler: tuple[int, Resampler] | None = None
        # An utterance that was found to be nothing, and one that is over but not understood yet.
        self._dismissed: Audio | None = None
        self._waiting: SpeechStopped | None = None

    def hear(self, samples: Samples) -> None:
        """Take 16 kHz mono sound as it comes."""
        self._arrival.came(len(samples) / STT_RATE_HZ)
        self._feed(samples)
        self._levels.heard(self._arrival.jitter_ms)

    @property
    def rest_s(self) -> float:
        """Return how much sound may come before any of it has to be heard: nothing is decided later for that."""
        asked, answer = self._floor.asked, self._floor.answer
        most_s = IDLE_S if self._floor.state is State.LISTENING else REST_S
        if self._interrupting.open or (asked is not None and not asked.understood):
            most_s = SOON_S
        return min(self._ears.idle_s(answer is not None and answer.begun), most_s)

    def pass_time(self) -> None:
        """Hear sound that does not come as silence, and decide what waits for nothing more."""
        missing_s = self._arrival.missing_s()
        if missing_s and (self._floor.talking or self._interrupting.open):
            self._feed(np.zeros(int(missing_s * STT_RATE_HZ), np.float32))
        self._understand()
        if (step := self._interrupting.passed(self._waiting)) is not None:
            self._decided(step)

    def commit(self) -> None:
        """End the utterance now. Raises NoSpeech where none has begun."""
        found = self._ears.flush()
        self._react(found)
        if not any(isinstance(event, SpeechStopped) for event in found):
            raise NoSpeech

    def forget(self) -> None:
        """Let what was said and is not understood yet be; the person has asked in another way."""
        self._waiting = None

    def _feed(self, samples: Samples) -> None:
        self._heard_s += len(samples) / STT_RATE_HZ
        self._understand()
        if self._talk.knows_echo:
            self._hear_answer()
        if self._partials is not None:
            self._partials.hear(samples)
        self._react(self._ears.feed(samples))

    def _hear_answer(self) -> None:
        """Let the ears know what was sent since: it may come back from a loudspeaker."""
        sent = self._floor.sent
        while sent:
            pcm, rate_hz = sent.popleft()
            whole = [pcm[: len(pcm) // 2 * 2]]
            # What came together is taken at once: a call costs more than what it does.
            while sent and sent[0][1] == rate_hz:
                pcm, _ = sent.popleft()
                whole.append(pcm[: len(pcm) // 2 * 2])
            if self._resampler is None or self._resampler[0] != rate_hz:
                self._resampler = (rate_hz, Resampler(rate_hz))
            samples = np.frombuffer(b"".join(whole), "<i2").astype(np.float32) / np.float32(32768)
            self._ears.playing(self._resampler[1].feed(samples))

    def _react(self, happened: Sequence[Heard]) -> None:
        for event in happened:
            match event:
                case Voiced():
                    self._interrupting.voiced(event)
                case FalseAlarm():
                    self._interrupting.false_alarm()
                case SpeechStarted():
                    self._speech_started(event)
                case SpeechPaused():
                    self._speech_paused(event)
                case SpeechResumed():
                    self._asking.drop()
                case SpeechStopped():
                    self._speech_stopped(event)

    def _speech_started(self, event: SpeechStarted) -> None:
        if self._waiting is not None:
            # Who speaks again before it is known what they said wants the floor.
            self._interrupting.meant()
            self._ask(self._waiting)
        self._interrupting.yield_floor()
        self._begun_s, self._dismissed, self._waiting = event.at_s, None, None
        self._asking.drop()
        if self._partials is not None:
            self._partials.started()
        with self._floor.lock:
            answer = self._floor.answer
            self._asking.begins()
            self._tell({"type": EventName.TURN_SPEECH_STARTED})
            self._floor.talking = True
            if answer is None or not answer.begun:
                self._floor.go(State.HEARING)
        if answer is not None and not answer.begun:
            self._interrupting.cut(BARGE_IN)

    def _speech_paused(self, event: SpeechPaused) -> None:
        if self._talk.speculate or self._interrupting.open:
            self._early(event.utterance, event.at_s)

    def _speech_stopped(self, event: SpeechStopped) -> None:
        if self._partials is not None:
            self._partials.stopped()
        if event.utterance is self._dismissed:
            self._dismiss(event)
            return
        if event.reason is EndReason.COMMITTED:
            self._interrupting.meant()
        if self._interrupting.open:
            # What was said decides: the answer waits for it.
            if self._floor.asked is None or self._floor.asked.utterance is not event.utterance:
                self._early(event.utterance, event.at_s)
            self._waiting = event
            self._interrupting.stopped(waits=self._floor.asked is not None)
            return
        self._ask(event)

    def _ask(self, event: SpeechStopped) -> None:
        self._waiting = None
        self._interrupting.cut(BARGE_IN)
        duration_ms = round(self._asking.whole(event.utterance) * 1000)
        self._tell({"type": EventName.TURN_SPEECH_STOPPED, "duration_ms": duration_ms})
        self._asking.spoken(event.utterance, self._since_ms(event.at_s))

    def _early(self, utterance: Audio, at_s: float) -> None:
        timings = {"speech_end_ms": -self._since_ms(at_s)}
        self._asking.early(utterance, at_s, timings, answered=not self._interrupting.open)

    def _understand(self) -> None:
        """Take note of a transcript that the writing thread has brought meanwhile."""
        asked = self._floor.asked
        if asked is None or asked.understood or not asked.is_known:
            return
        asked.understood = True
        if asked.transcript:
            self._ears.hint(asked.transcript, asked.at_s, asked.language)
        step = self._interrupting.understood(asked, asked.at_s - self._begun_s)
        if step is not None:
            self._decided(step, asked)

    def _decided(self, step: Step, asked: Speculation | None = None) -> None:
        """Do with what was said into an answer what was decided about it."""
        waiting, self._waiting = self._waiting, None
        if step is Step.CUT:
            if waiting is not None:
                self._ask(waiting)
            return
        self._dismissed = asked.utterance if asked else None
        self._asking.drop()
        if waiting is not None:
            self._dismiss(waiting)

    def _dismiss(self, event: SpeechStopped) -> None:
        """Say that what was said was not meant as a question."""
        self._dismissed = None
        duration_ms = round(event.utterance.duration_s * 1000)
        with self._floor.lock:
            self._tell({"type": EventName.TURN_SPEECH_STOPPED, "duration_ms": duration_ms, "dismissed": True})
            self._floor.hush()

    def _since_ms(self, at_s: float) -> float:
        return round((self._heard_s - at_s) * 1000, 1)
