"""Listening and speaking by whom it works with: who fails before the first sound is followed by the next one.

After the first sound nothing is repeated, as it has been heard; the next sentence goes by another.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from pipelines.ports.sound import STT_RATE_HZ, Transcriber, Transcript, Voice
from pipelines.turn.generating.reading import Ended, Limits, Reading
from pipelines.turn.hearing import transcribe as recognition
from pipelines.turn.speaking import synthesize as speech_of
from pipelines.turn.speaking.portions import portions
from pipelines.turn.speaking.sounding import Sounding
from schemas.errors.providers import NotHeard, NotSpoken, ProviderUnavailable
from schemas.errors.sound import NoSpeech
from schemas.errors.tree import AuraError
from schemas.errors.work import Cancelled
from schemas.settings import get_settings
from workers import wiring
from workers.speech import voice_line
from workers.speech.voice_line import FAILS_OVER, Asked, Known
from workers.speech.voiced import Heard, Spoken
from workers.spending import budget, circuits, health

TRY_PATIENCE_S = 1.5
"""Who tries whether a provider works again does not wait for it as long as for one that is known to work."""

LOCAL_LISTENERS, LOCAL_SPEAKERS = threading.BoundedSemaphore(2), threading.BoundedSemaphore(4)
"""How many a process runs here at once, which take processors; those far away take only waiting, and many threads."""

LISTENING_SHARE = 0.1
"""Of the length of an utterance, what a provider may take longer for it."""

LETTER_S = 0.07
"""Seconds that a character takes to be said, about."""

__all__ = ["Heard", "Spoken", "listing", "speech", "transcription"]

T = TypeVar("T")
Look = Callable[[], bool]


@contextmanager
def transcription(
    tenant_id: UUID,
    pcm16: bytes,
    language: str | None,
    subject_id: UUID,
    *,
    timestamps: bool = False,
    words: bool = False,
    cancelled: Look = lambda: False,
) -> Iterator[Heard]:
    """Understand mono PCM16 at 16 kHz. Raises NoSpeech, Cancelled, BudgetExceeded, NotOffered, or NotHeard, which
    asks to say it again, where all that listen fail."""
    asked = Asked(tenant_id, "transcription", subject_id)
    seconds = len(pcm16) / 2 / STT_RATE_HZ
    settings = get_settings()

    def hear(stack: ExitStack, one: Known) -> Heard:
        transcriber = wiring.transcriber(tenant_id, one.candidate.provider)
        model = _model(tenant_id, "transcription", transcriber)
        call = stack.enter_context(budget.transcription(tenant_id, transcriber, seconds, subject_id))
        limit_s = _patience_s(one, settings.provider_transcript_s) + LISTENING_SHARE * seconds
        times = {"timestamps": timestamps, "words": words}
        found = _understood(one, transcriber, pcm16, language, times, limit_s, cancelled)
        call.spent = call.expected
        return Heard(found, one.candidate.provider, model, call)

    with ExitStack() as stack:
        yield _first(asked, NotHeard, hear, stack)


@contextmanager
def speech(
    tenant_id: UUID,
    text: str,
    voice_id: str | None,
    speed: float,
    subject_id: UUID,
    *,
    language: str | None = None,
    cancelled: Look = lambda: False,
) -> Iterator[Spoken]:
    """Speak `text` by the first that begins to; entering waits for that. `language` says how it is read.

    Where a stream breaks off, iterating raises, and what follows for the same `subject_id`, a turn, goes by another.
    Raises Cancelled, BudgetExceeded, NotOffered, or NotSpoken where all that speak fail.
    """
    asked = Asked(tenant_id, "speech", subject_id, voice_id)

    def speak(stack: ExitStack, one: Known) -> Spoken:
        speaker = wiring.speaker(tenant_id, one.candidate.provider)
        model = _model(tenant_id, "speech", speaker)
        call = stack.enter_context(budget.speech(tenant_id, speaker, text, subject_id))
        sounding = Sounding(speaker)
        pieces = speech_of.synthesize(sounding, text, voice_id, speed, language)
        if one.candidate.local:
            stack.enter_context(LOCAL_SPEAKERS)
        else:
            reading = Reading(one.candidate.provider, pieces, _limits(one, text, speed))
            stack.callback(reading.close)
            pieces = _sound(reading, sounding.sample_rate_hz, cancelled)
        first = next(pieces, None)
        spoken = Spoken(one.candidate.provider, model, sounding, first, _noting(asked, one, pieces))
        # Whatever becomes of the rest: who has begun to speak is paid.
        stack.callback(lambda: setattr(call, "spent", replace(call.expected, seconds=spoken.seconds)))
        return spoken

    with ExitStack() as stack:
        yield _first(asked, NotSpoken, speak, stack)


def listing(tenant_id: UUID) -> list[Voice]:
    """Return the voices of all that may speak for the tenant, the default first.

    Who cannot tell is left out. Raises what the first of them said where nobody can tell.
    """
    found: list[Voice] = []
    errors: list[AuraError] = []
    for one in voice_line.known(tenant_id, "speech"):
        try:
            with health.watch(tenant_id, "speech", one.candidate.provider):
                found += wiring.speaker(tenant_id, one.candidate.provider).voices()
        except FAILS_OVER as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    return found


def _first(asked: Asked, otherwise: type[AuraError], attempt: Callable[[ExitStack, Known], T], stack: ExitStack) -> T:
    """Return what the first that does the work has made of it; what it holds is held by `stack`."""
    while (one := asked.next()) is not None:
        began = time.monotonic()
        try:
            with ExitStack() as held:
                made = attempt(held, one)
                stack.enter_context(held.pop_all())
        except FAILS_OVER as error:
            asked.failed(one, error)
        except NoSpeech:
            circuits.spoke(one, (time.monotonic() - began) * 1e3)
            raise
        except BaseException:
            circuits.ended(one)
            raise
        else:
            circuits.spoke(one, (time.monotonic() - began) * 1e3)
            return made
    raise asked.nobody(otherwise)


def _understood(
    one: Known,
    transcriber: Transcriber,
    pcm16: bytes,
    language: str | None,
    times: Mapping[str, bool],
    limit_s: float,
    cancelled: Look,
) -> Transcript:
    def understood() -> Iterator[Transcript]:
        yield recognition.transcribe(transcriber, pcm16, language, **times)

    if one.candidate.local:
        with LOCAL_LISTENERS:
            return next(understood())
    reading = Reading(one.candidate.provider, understood(), Limits(limit_s, limit_s, limit_s))
    with closing(reading):
        return next(_read(reading, cancelled))


def _read(reading: Reading[T], cancelled: Look) -> Iterator[T]:
    """Yield what is read. Raises Cancelled, and what the provider raises."""
    while True:
        if cancelled():
            raise Cancelled
        try:
            piece = reading.next()
        except Ended:
            return
        if piece is not None:
            yield piece


def _sound(reading: Reading[bytes], sample_rate_hz: int, cancelled: Look) -> Iterator[bytes]:
    """Yield what is read in portions. Raises Cancelled, and what the provider raises."""
    for piece in portions(reading, sample_rate_hz):
        if cancelled():
            raise Cancelled
        if piece:
            yield piece


def _noting(asked: Asked, one: Known, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces; where they break off, what follows in the same turn goes by another."""
    try:
        yield from pieces
    except FAILS_OVER as error:
        asked.failed(one, error)
        raise


def _limits(one: Known, text: str, speed: float) -> Limits:
    settings = get_settings()
    first_s = _patience_s(one, settings.provider_first_sound_s)
    return Limits(first_s, settings.provider_first_sound_s, settings.provider_answer_s + LETTER_S * len(text) / speed)


def _patience_s(one: Known, most_s: float) -> float:
    return min(most_s, TRY_PATIENCE_S) if one.candidate.state == "half_open" else most_s


def _model(tenant_id: UUID, work: voice_line.Work, made: Any) -> str:
    """Return the model of a provider. A server of one's own may have to be asked for it, which may fail."""
    try:
        return str(made.model)
    except ProviderUnavailable:
        with health.watch(tenant_id, work, made.name):
            raise
