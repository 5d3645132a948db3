"""Assent, coughs and the answer's own echo do not take the floor; words do."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.turn.hearing.backchannel import is_backchannel, is_short_sound
from pipelines.turn.hearing.endpointing import Endpointer
from pipelines.turn.hearing.heard import Sound, SpeechStarted, SpeechStopped, Voiced

RATE_HZ = 16_000
Samples = NDArray[np.float32]


@pytest.mark.parametrize(
    "text",
    [
        "Mm-hmm.",
        "Yeah.",
        "Okay, okay.",
        "Uh-huh",
        "I see.",
        "Right, right.",
        "Got it!",
        "",
        "(coughs)",
        "[laughter]",
        "*sighs*",
        "Hahaha.",
        "Ja, genau.",
        "D'accord.",
        "…",
        "Oh wow.",
    ],
)
def test_assent_and_sounds_without_words_let_the_answer_go_on(text: str) -> None:
    assert is_backchannel(text, 0.5)


@pytest.mark.parametrize(
    "text",
    [
        "Stop.",
        "Wait.",
        "No.",
        "No, not that one.",
        "Okay, but what about Sunday?",
        "Yes, book it.",
        "What?",
        "Sorry?",
        "Hold on.",
        "I see the problem now.",
        "Nein.",
        "Ahmed.",
    ],
)
def test_words_that_want_something_do_not(text: str) -> None:
    assert not is_backchannel(text, 0.6)


def test_a_long_sound_wants_something_whatever_was_understood() -> None:
    assert not is_backchannel("Yeah.", 2.0) and not is_backchannel("", 3.0)
    assert not is_short_sound(Sound(2_500, 2_400, 0.95, -25))


def test_what_whisper_imagines_in_a_cough_counts_only_where_there_was_time_to_say_it() -> None:
    assert is_backchannel("Thank you.", 0.3) and not is_backchannel("Thank you.", 1.0)


def cough(seed: int) -> Samples:
    """Return two bursts of noise that decay, as a throat makes them."""
    chance = np.random.default_rng(seed)
    burst = chance.standard_normal(int(0.12 * RATE_HZ)) * np.exp(-np.arange(int(0.12 * RATE_HZ)) / (0.03 * RATE_HZ))
    return np.concatenate([burst, np.zeros(int(0.06 * RATE_HZ)), 0.6 * burst]).astype(np.float32) * 0.3


def test_coughs_and_clicks_are_no_speech_or_too_short_to_be_words() -> None:
    for seed in range(5):
        room = np.random.default_rng(seed).standard_normal(RATE_HZ).astype(np.float32) * 5e-4
        ears = Endpointer()
        events = ears.feed(np.concatenate([room, cough(seed), room]))
        stopped = [event for event in events if isinstance(event, SpeechStopped)]
        assert all(is_short_sound(event.sound) for event in stopped)


def test_a_sentence_is_no_short_sound(speech: dict[str, Samples]) -> None:
    for clip in speech.values():
        ears = Endpointer()
        *_, stopped = ears.feed(
            np.concatenate([np.zeros(RATE_HZ, np.float32), clip, np.zeros(2 * RATE_HZ, np.float32)])
        )
        assert isinstance(stopped, SpeechStopped) and not is_short_sound(stopped.sound)


def echo_of(sound: Samples, delay_s: float, gain_db: float, seed: int) -> Samples:
    """Return what a microphone hears of a small loudspeaker in a room, with the room's own noise."""
    chance = np.random.default_rng(seed)
    room = chance.standard_normal(4_800) * 10 ** (-3 * np.arange(4_800) / 4_800)
    room *= 0.5 / np.sqrt((room**2).sum())
    room[0] += 1
    size = len(sound) + len(room)
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    box = np.exp(-((300 / np.maximum(hz, 1)) ** 2)) / (1 + (hz / 5_000) ** 4)
    heard = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size) * box, size)
    heard = np.concatenate([np.zeros(int(delay_s * RATE_HZ)), heard]) * 10 ** (gain_db / 20)
    return (heard + chance.standard_normal(len(heard)) * 5e-4).astype(np.float32)


@pytest.fixture(scope="module")
def answer(speech: dict[str, Samples]) -> Samples:
    said = [np.concatenate([speech[f"spk1_snt{n}"], np.zeros(3_000, np.float32)]) for n in (1, 2, 3, 4)]
    sound = np.concatenate(said)
    return np.asarray(sound / np.abs(sound).max() * 0.7, np.float32)


def starts(mic: Samples, answer: Samples | None, at_once: bool = False) -> list[float]:
    """Return when speech is told in `mic`, with `answer` known as what is played meanwhile."""
    ears, found = Endpointer(), []
    if answer is not None and at_once:
        ears.playing(answer)
    for at in range(0, len(mic), 320):
        if answer is not None and not at_once and at < len(answer):
            ears.playing(answer[at : at + 320])
        found += [at / RATE_HZ for event in ears.feed(mic[at : at + 320]) if isinstance(event, SpeechStarted)]
    return found


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize(("delay_s", "gain_db"), [(0.06, -20), (0.35, -24), (0.8, -30), (0.2, -35)])
def test_the_echo_of_an_answer_is_no_speech(answer: Samples, delay_s: float, gain_db: float, at_once: bool) -> None:
    mic = echo_of(answer, delay_s, gain_db, seed=4)
    assert starts(mic, answer, at_once) == []
    if gain_db > -28:
        assert starts(mic, None) != []


@pytest.mark.parametrize("gain_db", [-20, -30])
def test_who_speaks_over_the_echo_is_heard_as_soon_as_without(
    speech: dict[str, Samples], answer: Samples, gain_db: float
) -> None:
    mic = echo_of(answer, 0.2, gain_db, seed=5)
    at = int(2.5 * RATE_HZ)
    clip = speech["spk2_snt3"]
    clip = clip[np.flatnonzero(np.abs(clip) > 0.1 * np.abs(clip).max())[0] :]
    mic[at : at + len(clip)] += clip / np.abs(clip).max() * np.float32(0.5)
    found = starts(mic, answer)
    assert found and 2.5 < found[0] < 2.5 + 0.3


def test_the_answer_is_forgotten_when_it_is_over(answer: Samples) -> None:
    ears = Endpointer()
    ears.playing(answer)
    ears.feed(np.zeros(int(len(answer) + 2.5 * RATE_HZ), np.float32))
    late = np.concatenate([echo_of(answer, 0, -20, seed=6), np.zeros(RATE_HZ, np.float32)])
    events = ears.feed(late)
    assert any(isinstance(event, Voiced) for event in events)
    assert any(isinstance(event, SpeechStarted) for event in events)
