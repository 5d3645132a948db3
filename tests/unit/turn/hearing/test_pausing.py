"""A pause is told, holds or ends; how long it may last follows what was said; and the end is found to the frame."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.turn.hearing.endpointing import Endpointer
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

RATE_HZ = 16_000
PIECE = 320

Samples = NDArray[np.float32]
Timed = list[tuple[float, Heard]]
Speech = dict[str, Samples]


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def over_noise(sound: Samples, snr_db: float | None) -> Samples:
    """Return speech over pink noise, or over that of a quiet room."""
    spectrum = np.fft.rfft(np.random.default_rng(11).standard_normal(len(sound)))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 40)), len(sound))
    loud = sound[np.abs(sound) > 0]
    level = 5e-4 if snr_db is None else float(loud.std()) / 10 ** (snr_db / 20)
    return (sound + pink / pink.std() * level).astype(np.float32)


def heard(
    sound: Samples, options: EndpointingOptions, react: Callable[[Endpointer, Heard], None] | None = None
) -> Timed:
    """Return what is told, each with the end of the 20 ms piece that it was told after, in seconds."""
    ears, found = Endpointer(options), []
    for start in range(0, len(sound) - PIECE + 1, PIECE):
        for event in ears.feed(sound[start : start + PIECE]):
            found.append(((start + PIECE) / RATE_HZ, event))
            if react is not None:
                react(ears, event)
    return found


def kinds(events: Timed) -> list[type[Heard]]:
    return [type(event) for _, event in events if not isinstance(event, Voiced)]


def stops(events: Timed) -> list[tuple[float, SpeechStopped]]:
    return [(at_s, event) for at_s, event in events if isinstance(event, SpeechStopped)]


def end_of(clip: Samples) -> int:
    """Return the place after the last 4 ms that are louder than a hundredth of the loudest."""
    level = np.sqrt((clip[: len(clip) // 64 * 64].reshape(-1, 64) ** 2).mean(axis=1))
    return int(np.flatnonzero(level > level.max() / 100)[-1] + 1) * 64


@pytest.mark.parametrize(("snr_db", "median_s", "worst_s"), [(None, 0.015, 0.09), (20, 0.05, 0.18), (10, 0.06, 0.2)])
def test_the_end_is_decided_a_frame_after_the_silence(
    speech: Speech, snr_db: float | None, median_s: float, worst_s: float
) -> None:
    late = []
    for clip in speech.values():
        said = clip[: end_of(clip)]
        sound = over_noise(np.concatenate([silence(1), said, silence(1.2)]), snr_db)
        ((at_s, stopped),) = stops(heard(sound, EndpointingOptions(silence_ms=600, adaptive=False)))
        late.append(at_s - (1 + len(said) / RATE_HZ) - 0.6)
        # However quiet its last sound is, it is part of what is kept.
        assert stopped.at_s + 0.2 > 1 + len(said) / RATE_HZ - 0.02
    assert float(np.median(np.abs(late))) <= median_s
    assert float(np.abs(late).max()) <= worst_s


def test_a_pause_is_told_before_it_ends_the_utterance_and_has_the_same_sound(speech: Speech) -> None:
    sound = over_noise(np.concatenate([silence(1), speech["spk1_snt4"], silence(1)]), None)
    found = heard(sound, EndpointingOptions(silence_ms=600, adaptive=False))
    assert kinds(found) == [SpeechStarted, SpeechPaused, SpeechStopped]
    (_, _), (paused_s, paused), (stopped_s, stopped) = [pair for pair in found if not isinstance(pair[1], Voiced)]
    assert isinstance(paused, SpeechPaused) and isinstance(stopped, SpeechStopped)
    assert stopped.utterance is paused.utterance and stopped.at_s == paused.at_s
    assert stopped_s - paused_s == pytest.approx(0.4, abs=0.021)


def test_who_goes_on_after_a_pause_resumes(speech: Speech) -> None:
    sound = np.concatenate([silence(1), speech["spk1_snt1"], silence(0.4), speech["spk1_snt4"], silence(1)])
    found = heard(over_noise(sound, None), EndpointingOptions(silence_ms=700, adaptive=False))
    assert kinds(found) == [SpeechStarted, SpeechPaused, SpeechResumed, SpeechPaused, SpeechStopped]
    first, resumed, second = (
        next(event for _, event in found if isinstance(event, kind))
        for kind in (SpeechPaused, SpeechResumed, SpeechStopped)
    )
    assert first.at_s < resumed.at_s < second.at_s  # type: ignore[union-attr]
    assert second.utterance.duration_s > 1.5 * first.utterance.duration_s  # type: ignore[union-attr]


def test_no_pause_is_told_where_none_is_wanted(speech: Speech) -> None:
    sound = over_noise(np.concatenate([silence(1), speech["spk1_snt4"], silence(1)]), None)
    options = EndpointingOptions(silence_ms=600, adaptive=False, speculate_after_ms=None)
    assert kinds(heard(sound, options)) == [SpeechStarted, SpeechStopped]


@pytest.mark.parametrize("blip", ["click", "30 ms of a voice"])
def test_a_blip_in_a_pause_does_not_go_on(speech: Speech, blip: str) -> None:
    sound = over_noise(np.concatenate([silence(1), speech["spk2_snt4"], silence(1.2)]), None)
    at = len(sound) - int(0.8 * RATE_HZ) + 200
    voice = speech["spk1_snt1"][6_000:6_480]
    sound[at : at + 480] += (0.6 if blip == "click" else 2 * voice) * np.hanning(480).astype(np.float32)
    assert kinds(heard(sound, EndpointingOptions(silence_ms=700, adaptive=False))) == [
        SpeechStarted,
        SpeechPaused,
        SpeechStopped,
    ]


def told(text: str, options: EndpointingOptions, sound: Samples) -> float:
    """Return how many seconds after its last sound the utterance ends where the recogniser says `text` at the pause."""

    def react(ears: Endpointer, event: Heard) -> None:
        if isinstance(event, SpeechPaused):
            ears.hint(text, event.at_s)

    ((at_s, stopped),) = stops(heard(sound, options, react))
    return at_s - stopped.at_s


def test_what_was_said_decides_how_long_a_pause_may_last(speech: Speech) -> None:
    sound = over_noise(np.concatenate([silence(1), speech["spk1_snt5"], silence(3)]), None)
    options = EndpointingOptions(silence_ms=600, min_silence_ms=300, max_silence_ms=1_400)
    whole = told("Sunday is the best part of the week.", options, sound)
    unknown = told("", options, sound)
    begun = told("Sunday is the best part of the", options, sound)
    assert 0.3 <= whole < unknown - 0.1 and unknown < begun - 0.3
    assert begun <= 1.44
    fixed = EndpointingOptions(silence_ms=600, adaptive=False)
    assert told("Sunday is the", fixed, sound) == pytest.approx(0.61, abs=0.02)


def test_a_hint_for_a_pause_that_is_over_changes_nothing(speech: Speech) -> None:
    sound = over_noise(np.concatenate([silence(1), speech["spk1_snt5"], silence(3)]), None)
    options = EndpointingOptions(silence_ms=600)

    def late(ears: Endpointer, event: Heard) -> None:
        if isinstance(event, SpeechPaused):
            ears.hint("and then the", event.at_s - 1)

    ((late_s, _),) = stops(heard(sound, options, late))
    ((plain_s, _),) = stops(heard(sound, options))
    assert late_s == plain_s


def test_a_hint_while_nobody_pauses_changes_nothing(speech: Speech) -> None:
    sound = over_noise(np.concatenate([silence(1), speech["spk1_snt5"], silence(3)]), None)
    options = EndpointingOptions(silence_ms=600)

    def early(ears: Endpointer, event: Heard) -> None:
        if isinstance(event, Voiced | SpeechStarted):
            ears.hint("and then the")

    ((early_s, _),) = stops(heard(sound, options, early))
    ((plain_s, _),) = stops(heard(sound, options))
    assert early_s == plain_s


def test_push_to_talk_ends_only_by_a_commit_and_keeps_all_up_to_it(speech: Speech) -> None:
    sound = np.concatenate([silence(0.5), speech["spk1_snt1"], silence(2), speech["spk1_snt2"][:16_000]])
    ears = Endpointer(EndpointingOptions(mode="push_to_talk"))
    events = ears.feed(over_noise(sound, None))
    assert not any(isinstance(event, SpeechStopped) for event in events)
    (stopped,) = [event for event in ears.flush() if isinstance(event, SpeechStopped)]
    assert stopped.reason is EndReason.COMMITTED
    assert stopped.utterance.duration_s == pytest.approx(len(sound) / RATE_HZ - 0.2, abs=0.2)


def test_the_first_voiced_frame_is_told_at_once_and_a_short_one_taken_back(speech: Speech) -> None:
    sound = over_noise(np.concatenate([silence(1), speech["spk1_snt1"][6_000:8_000], silence(1)]), None)
    found = heard(sound, EndpointingOptions())
    assert isinstance(found[0][1], Voiced) and found[0][0] < 1.09
    assert kinds(found) == [FalseAlarm]


def test_voiced_sound_adds_up_until_it_is_speech(speech: Speech) -> None:
    found = heard(over_noise(np.concatenate([silence(1), speech["spk2_snt3"]]), None), EndpointingOptions())
    started = next(at_s for at_s, event in found if isinstance(event, SpeechStarted))
    before = [event.voiced_ms for at_s, event in found if isinstance(event, Voiced) and at_s < started]
    assert before == sorted(before) and 0 < before[0] < before[-1] < 200


@pytest.mark.parametrize("snr_db", [None, 20, 10])
def test_the_first_sound_is_never_cut(speech: Speech, snr_db: float | None) -> None:
    for clip in speech.values():
        level = np.sqrt((clip[: len(clip) // 64 * 64].reshape(-1, 64) ** 2).mean(axis=1))
        first_s = float(np.flatnonzero(level > level.max() / 30)[0]) * 64 / RATE_HZ
        sound = over_noise(np.concatenate([silence(1), clip, silence(1)]), snr_db)
        started = next(event for _, event in heard(sound, EndpointingOptions()) if isinstance(event, SpeechStarted))
        assert started.at_s - 0.3 < 1 + first_s


def test_level_and_clipping_are_reported_since_the_last_reading() -> None:
    ears = Endpointer()
    at = np.arange(RATE_HZ) * 2 * np.pi * 440 / RATE_HZ
    ears.feed((0.5 * np.sin(at)).astype(np.float32))
    level = ears.level()
    assert level.rms_db == pytest.approx(-9.03, abs=0.05)
    assert level.peak == pytest.approx(0.5, abs=1e-3) and level.clipped_share == 0
    ears.feed(np.clip(2 * np.sin(at), -1, 1).astype(np.float32))
    assert ears.level().clipped_share == pytest.approx(2 / 3, abs=0.01)
    nothing = ears.level()
    assert (nothing.rms_db, nothing.peak, nothing.clipped_share) == (-120.0, 0.0, 0.0)


def test_a_speaker_who_pauses_long_is_given_more_time(speech: Speech) -> None:
    clip = speech["spk1_snt1"][: end_of(speech["spk1_snt1"])]
    rambling = [part for _ in range(6) for part in (clip, silence(0.55))]
    options = EndpointingOptions(silence_ms=600, max_silence_ms=1_400)

    def last(sound: Samples) -> float:
        at_s, stopped = stops(heard(over_noise(sound, None), options))[-1]
        return at_s - stopped.at_s

    assert last(np.concatenate([silence(1), *rambling, clip, silence(2)])) > 0.05 + last(
        np.concatenate([silence(1), clip, silence(2)])
    )
