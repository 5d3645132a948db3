"""What the spoken benchmark reads out of sound must be what was put into it, else it credits the wrong turn."""

from types import SimpleNamespace

import numpy as np
import pytest

from bench.voicing import marks, own
from bench.voicing.callers import Caller
from pipelines.ports.sound import STT_RATE_HZ, Audio
from pipelines.providers import sound
from pipelines.turn.sound.audio import pcm16, samples

FRAME = 320
RATE_HZ = 22_050
SPEECH = np.random.default_rng(1).normal(0, 4000, 30 * FRAME).clip(-16_000, 16_000).astype("<i2").tobytes()


def marked(mark: marks.Mark) -> bytes:
    return b"".join(marks.put(SPEECH[at : at + 2 * FRAME], mark) for at in range(0, len(SPEECH), 2 * FRAME))


def test_a_questions_mark_survives_its_way_to_the_provider() -> None:
    heard = pcm16(samples(marked(marks.Mark(99, 31))[778:]))

    uploaded = sound.wav(Audio(samples(heard), STT_RATE_HZ))[44:]

    assert marks.read(uploaded) == marks.Mark(99, 31)


def test_the_last_of_two_questions_that_were_joined_counts() -> None:
    assert marks.read(marked(marks.Mark(3, 4)) + bytes(6400) + marked(marks.Mark(3, 5))) == marks.Mark(3, 5)


def test_speech_without_a_mark_has_none() -> None:
    assert marks.read(SPEECH) is None


PARTS = [marks.sound(1, seq, 7, piece, 2204) for seq in (0, 1) for piece in (0, 1)]


@pytest.mark.parametrize(
    ("played", "fault"),
    [
        (PARTS, None),
        (PARTS[:-1], "gap"),
        ([PARTS[1], PARTS[0], *PARTS[2:]], "out of order"),
        ([*PARTS[:2], PARTS[1], *PARTS[2:]], "double"),
        ([*PARTS[:3], marks.sound(1, 1, 8, 1, 2204)], "another caller's sound"),
    ],
)
def test_what_is_wrong_with_an_answers_sound_is_counted(played: list[bytes], fault: str | None) -> None:
    caller = Caller(own, own.Session([SPEECH], 0, 0), 7, pieces=4)
    caller._wire = SimpleNamespace(send=lambda message: None)
    caller._rate_hz = RATE_HZ
    sent = b"".join(played)

    for at in range(0, len(sent), 2048):
        caller._play(sent[at : at + 2048])
    caller.check(own.TTS_CHUNK_S)

    assert set(caller.faults) - {"gap"} == ({fault} if fault else set()) - {"gap"}
    assert ("gap" in caller.faults) is (fault in ("gap", "another caller's sound"))
