"""What need not be heard at once: the ears say how much sound may gather before anything can be found in it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.turn.hearing.endpointing import Endpointer
from pipelines.turn.hearing.heard import EndpointingOptions, SpeechPaused, SpeechResumed, Voiced

RATE_HZ = 16_000
STEP = 64

Samples = NDArray[np.float32]

PLAIN = EndpointingOptions(silence_ms=500, adaptive=False)


def conversation(speech: dict[str, Samples]) -> Samples:
    gaps = [np.zeros(int(seconds * RATE_HZ), np.float32) for seconds in (0.5, 0.35, 0.9, 1.4)]
    said = [speech[name] for name in ("spk1_snt1", "spk2_snt3", "spk1_snt4")]
    cough = np.concatenate((said[0][8_000:9_600], gaps[2]))
    return np.concatenate((gaps[0], said[0], gaps[1], said[1], gaps[3], cough, said[2], gaps[3]))


@pytest.mark.parametrize(
    "options",
    [
        PLAIN,
        EndpointingOptions(),
        replace(PLAIN, speculate_after_ms=None),
        replace(PLAIN, max_utterance_s=1.0),
        replace(PLAIN, min_speech_ms=50, max_gap_ms=100),
    ],
    ids=["fixed", "adaptive", "without a pause", "cut at its longest", "short"],
)
def test_nothing_is_found_before_it_was_said_to_be(options: EndpointingOptions, speech: dict[str, Samples]) -> None:
    ears, sound = Endpointer(options), conversation(speech)
    free = next_voiced = 0.0
    found = 0
    for at in range(0, len(sound) - STEP, STEP):
        free = max(free, at / RATE_HZ + ears.idle_s())
        begun, end_s = ears._utterance is not None, (at + STEP) / RATE_HZ
        next_voiced = at / RATE_HZ + ears.idle_s(watchful=True) if begun else 0.0
        for event in ears.feed(sound[at : at + STEP]):
            if isinstance(event, Voiced):
                assert end_s >= next_voiced - 1e-9
            elif not isinstance(event, SpeechResumed):
                found += 1
                assert end_s >= free - 1e-9, event
    assert found >= 5


def test_sound_may_gather_while_nothing_can_come_of_it(speech: dict[str, Samples]) -> None:
    ears = Endpointer(PLAIN)
    assert ears.idle_s() > 0.1
    assert ears.idle_s(watchful=True) <= 0.064
    for at in range(0, 16_000, 320):
        ears.feed(speech["spk1_snt1"][at : at + 320])
    assert ears.idle_s() >= 0.1
    assert ears.idle_s(watchful=True) <= 0.032


def test_a_hint_is_taken_at_once(speech: dict[str, Samples]) -> None:
    ears = Endpointer(EndpointingOptions(silence_ms=1000))
    ears.feed(speech["spk1_snt1"])
    for _ in range(300):
        if any(isinstance(event, SpeechPaused) for event in ears.feed(np.zeros(STEP, np.float32))):
            break
    assert ears.idle_s() > 0.1
    ears.hint("Where is the bike?")
    assert ears.idle_s() == 0


def test_who_holds_a_key_while_speaking_may_let_it_go_at_any_time(speech: dict[str, Samples]) -> None:
    ears = Endpointer(replace(PLAIN, mode="push_to_talk"))
    ears.feed(speech["spk1_snt1"])
    assert ears.idle_s() == 0
