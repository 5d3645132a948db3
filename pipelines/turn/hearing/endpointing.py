"""Where utterances begin, pause and end in the sound of one voice session."""

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.sound import STT_RATE_HZ, Audio
from pipelines.turn.hearing.echo import SPAN, Echo
from pipelines.turn.hearing.heard import (
    EndpointingOptions,
    EndReason,
    FalseAlarm,
    Heard,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
    Voiced,
)
from pipelines.turn.hearing.idle import idle
from pipelines.turn.hearing.intonation import finality
from pipelines.turn.hearing.pauses import NEUTRAL, Pace, completeness, needed_ms
from pipelines.turn.hearing.recent import Level, Meter, Recent
from pipelines.turn.hearing.utterance import GAP, MS, ONSET, Utterance
from pipelines.turn.hearing.voice_activity import FRAME, QUIETEST_DB, TICK, Tick, VoiceActivity

Samples = NDArray[np.float32]

MAX_PIECE = 8_000
"""Longer pieces of sound are heard half a second at a time, so that what is kept stays small."""

LOUDNESS_DB = 35.0
"""What is this much quieter than the loudest of an utterance is no more of its voice, but breath or echo."""

TAIL = 96 * MS
"""How far from the end of the detector's last voiced frame the voice's last sound may be, back or ahead."""

DOUBT = 48 * MS
"""How long the detector goes on hearing a voice that has ended, where noise is as loud as the voice's last sound."""

LIVE = 160 * MS
"""After a silence longer than this a voice goes on only if two frames of three have it: a click is no word."""

REGRET = 700 * MS
"""Who speaks again this soon after an utterance was ended had only paused."""


PITCH = 0.2
"""How much the pitch at a pause adds to the completeness of what was said, or takes from it."""


class Endpointer:
    """Finds the utterances of one session. Not for several threads at once, but for `hint`.

    How the sound is cut into pieces does not matter. What is kept of it is bounded by
    `max_utterance_s`: 64 kB a second, and some 40 kB while nobody speaks.
    """

    def __init__(self, options: EndpointingOptions | None = None) -> None:
        self._options = options or EndpointingOptions()
        self.reset()

    def reset(self) -> None:
        """Forget everything heard; time begins anew."""
        self._activity, self._meter, self._kept, self._pace = VoiceActivity(), Meter(), Recent(), Pace()
        self._now = 0
        self._echo = Echo()
        self._given = 0  # Sound before this belongs to an utterance that has ended.
        self._stopped: int | None = None  # Where the last sound of the last utterance ended.
        self._hinted: tuple[float, float] | None = None  # When the pause was, and how complete what was said.
        self._utterance: Utterance | None = None

    def level(self) -> Level:
        """Return how loud the sound was since the last call."""
        return self._meter.read()

    def hint(self, transcript: str | None, at_s: float | None = None, language: str | None = None) -> None:
        """Tell what was said up to the pause at `at_s` (None: the present one).

        The next piece of sound is judged by it. One for a pause that is over is ignored. Any thread may call this.
        """
        paused = self._utterance.paused if self._utterance is not None else None
        if paused is not None and at_s in (None, paused.at_s):
            self._hinted = (paused.at_s, completeness(transcript or "", language))

    def playing(self, samples: Samples) -> None:
        """Tell what the assistant's voice plays now or soon, 16 kHz mono: its echo is no speech, then."""
        self._echo.played(samples, self._now / STT_RATE_HZ)

    def feed(self, samples: Samples) -> list[Heard]:
        """Return what happened in 16 kHz mono `samples`, shape (n,), -1…1, of any length."""
        heard: list[Heard] = []
        for at in range(0, len(samples), MAX_PIECE):
            piece = self._meter.checked(samples[at : at + MAX_PIECE])
            self._kept.add(piece.copy())
            for tick in self._activity.ticks(piece):
                self._hear(tick, heard)
            if self._utterance is None:
                self._kept.forget_before(self._now - max(self._options.pre_roll_ms * MS + ONSET + FRAME, SPAN))
        return heard

    def idle_s(self, watchful: bool = False) -> float:
        """Return how much more sound may come before any of it has to be heard: until then nothing can be found in it.

        But for Voiced, of an utterance that has not begun: of that, where `watchful`, the first two frames are. A
        voice that goes on after a SpeechPaused is found no sooner than the silence could have ended the utterance.
        """
        if self._hinted is not None and not watchful:
            return 0.0
        return idle(self._utterance, self._options, self._activity.heard, watchful) / STT_RATE_HZ

    def flush(self) -> list[Heard]:
        """End what is being said now: the client asks for it, so half of `min_speech_ms` is enough.

        A frame that has begun is filled up with silence.
        """
        heard = self.feed(np.zeros(-self._activity.heard % FRAME, np.float32))
        utterance = self._utterance
        if utterance is None:
            return heard
        if not utterance.speaking and utterance.voiced >= self._options.min_speech_ms * MS / 2:
            heard.append(self._start(utterance))
        if utterance.speaking:
            heard.append(self._stop(utterance, EndReason.COMMITTED))
        else:
            heard.append(self._dismiss(utterance))
        return heard

    def _hear(self, tick: Tick, heard: list[Heard]) -> None:
        self._now = tick.end
        if tick.loud and self._utterance is not None:
            self._sounds(self._utterance)
        if tick.probability is not None:
            self._judge(tick.probability, heard)
        if self._utterance is not None:
            self._decide(self._utterance, heard)

    def _sounds(self, utterance: Utterance) -> None:
        """Take a sound the detector has not judged yet: right after the voice it is the voice's own."""
        utterance.unjudged = True
        if self._now - utterance.end <= GAP + TICK and self._now - utterance.judged <= TAIL:
            utterance.end = self._now

    def _judge(self, probability: float, heard: list[Heard]) -> None:
        """Take the detector's word for the frame that ends now."""
        utterance, options, start = self._utterance, self._options, self._now - FRAME
        if probability >= options.release and self._echo.may_come(self._now / STT_RATE_HZ):
            probability *= not self._echo.goes_on(self._kept.cut(self._now - SPAN, self._now), self._now)
        if utterance is None:
            if probability < options.threshold:
                return
            utterance = self._utterance = self._begin(start)
        utterance.unjudged = False
        fresh = start - utterance.end <= LIVE
        # Silero's own doubt lasts some frames after the voice: only a sound makes a doubtful frame voiced.
        sounds = self._last_loud > start
        if probability < options.threshold and not (fresh and sounds and probability >= options.release):
            if utterance.again is not None and start - utterance.again >= 2 * FRAME:
                utterance.again = None
            return
        if utterance.speaking and not fresh and utterance.again is None:
            utterance.again = start
            return
        if utterance.speaking:
            self._go_on(utterance, start if utterance.again is None else utterance.again, heard)
        self._count(utterance, probability)
        heard.append(Voiced(utterance.begin / STT_RATE_HZ, utterance.voiced / MS, self._activity.level_db))

    def _begin(self, start: int) -> Utterance:
        """Return the utterance whose first voiced frame begins at `start`."""
        begin = start
        for end in reversed(self._activity.loud):
            if end <= start:
                if begin - end > GAP or start - end >= ONSET:
                    break
                begin = end - TICK
        kept_from = max(begin - self._options.pre_roll_ms * MS, self._given, self._kept.start)
        self._activity.in_use = True
        begun = Utterance(begin, kept_from, start, start, self._needed(NEUTRAL))
        begun.voiced = start - begin
        return begun

    def _count(self, utterance: Utterance, probability: float) -> None:
        last = self._last_loud
        utterance.end = max(utterance.end, last if last > self._now - TAIL else self._now - DOUBT)
        utterance.judged = self._now
        utterance.voiced += FRAME
        utterance.frames += 1
        utterance.certainty += probability
        utterance.level_db += self._activity.level_db
        self._activity.least_db = max(self._activity.least_db, self._activity.level_db - LOUDNESS_DB)

    def _go_on(self, utterance: Utterance, since: int, heard: list[Heard]) -> None:
        """Note that the voice goes on; if it had paused, since `since`."""
        if utterance.paused is not None:
            heard.append(SpeechResumed(since / STT_RATE_HZ))
        self._pace.paused((since - utterance.end) / MS)
        utterance.paused = utterance.again = None
        utterance.needed = self._needed(NEUTRAL)

    def _decide(self, utterance: Utterance, heard: list[Heard]) -> None:
        options = self._options
        silence = self._now - utterance.end
        if not utterance.speaking:
            # A voice that sounds on counts up to now, not only up to the last whole frame.
            ahead = self._now - utterance.judged if silence == 0 else 0
            if utterance.voiced + ahead >= options.min_speech_ms * MS:
                heard.append(self._dismiss(utterance) if self._is_echo() else self._start(utterance))
            elif silence >= min(options.max_gap_ms, options.silence_ms) * MS:
                heard.append(self._dismiss(utterance))
            return
        if not utterance.unjudged and utterance.again is None:
            after_ms = options.speculate_after_ms
            if utterance.paused is None and after_ms is not None and silence >= after_ms * MS:
                utterance.paused = SpeechPaused(utterance.end / STT_RATE_HZ, self._said(utterance))
                heard.append(utterance.paused)
                if options.adaptive:
                    utterance.finality = finality(utterance.paused.utterance.samples)
                    utterance.needed = self._needed(NEUTRAL, utterance.finality)
            self._take_hint(utterance)
            if silence >= utterance.needed and options.mode == "server_vad":
                heard.append(self._stop(utterance, EndReason.SILENCE))
                return
        if self._now - utterance.kept_from >= options.max_utterance_s * STT_RATE_HZ:
            heard.append(self._stop(utterance, EndReason.TOO_LONG))
            # Somebody is in the middle of a word: its rest needs no proof to be speech.
            rest = self._utterance = self._begin(self._now)
            rest.voiced = options.min_speech_ms * MS - FRAME

    def _take_hint(self, utterance: Utterance) -> None:
        if self._hinted is None or utterance.paused is None:
            return
        (at_s, complete), self._hinted = self._hinted, None
        if at_s == utterance.paused.at_s:
            utterance.needed = self._needed(complete, utterance.finality)

    def _needed(self, complete: float, finality: float = 0.0) -> float:
        options = self._options
        if not options.adaptive:
            return options.silence_ms * MS
        return needed_ms(options.silence_ms, options.bounds_ms, complete + PITCH * finality, self._pace) * MS

    def _start(self, utterance: Utterance) -> SpeechStarted:
        utterance.speaking = True
        if self._stopped is not None and utterance.begin - self._stopped < self._needed(NEUTRAL) + REGRET:
            self._pace.paused((utterance.begin - self._stopped) / MS)
        return SpeechStarted(utterance.begin / STT_RATE_HZ)

    def _is_echo(self) -> bool:
        if not self._echo.may_come(self._now / STT_RATE_HZ):
            return False
        return self._echo.begins(self._kept.cut(self._now - SPAN, self._now), self._now)

    def _dismiss(self, utterance: Utterance) -> FalseAlarm:
        self._end()
        return FalseAlarm(utterance.begin / STT_RATE_HZ, utterance.voiced / MS)

    def _end(self) -> None:
        self._utterance = self._hinted = None
        self._activity.in_use, self._activity.least_db = False, QUIETEST_DB

    @property
    def _last_loud(self) -> int:
        return self._activity.loud[-1] if self._activity.loud else 0

    def _said(self, utterance: Utterance, till: int | None = None) -> Audio:
        end = min(self._now, utterance.end + self._options.post_roll_ms * MS) if till is None else till
        return Audio(self._kept.cut(utterance.kept_from, end), STT_RATE_HZ)

    def _stop(self, utterance: Utterance, reason: EndReason) -> SpeechStopped:
        """Return what was said; the sound after it stays for what comes."""
        if utterance.paused is not None and reason is not EndReason.TOO_LONG:
            said = utterance.paused.utterance
        else:
            said = self._said(utterance, self._now if self._options.mode == "push_to_talk" else None)
        self._given = utterance.kept_from + len(said.samples)
        self._stopped = None if reason is EndReason.COMMITTED else utterance.end
        self._end()
        return SpeechStopped(utterance.end / STT_RATE_HZ, said, reason, utterance.sound())
