"""Frames that came together are decoded together, where that changes nothing."""

import numpy as np

from api.voice.sound_in import MANY, SoundIn
from pipelines.turn.sound.audio_out import encoder


def test_pcm_is_joined_as_far_as_a_frame_may_be_long() -> None:
    sound = SoundIn("pcm16", 16_000, 1)
    frames = [b"\1\0", b"\2\0\3", b"\0"]
    assert sound.together(frames, 6) == [b"".join(frames)]
    assert sound.together(frames, 5) == frames


def test_opus_is_joined_once_its_stream_has_begun() -> None:
    sound = SoundIn("opus", 48_000, 1)
    made = encoder("opus", 48_000, 48_000)
    pieces = [made.feed(bytes(9_600), 48_000) for _ in range(10)]
    assert sound.together([b"broken", pieces[0]], 10_000) == [b"broken", pieces[0]]
    first = sound.frame(pieces[0])
    [joined] = sound.together(pieces[1:], 10_000)
    apart = SoundIn("opus", 48_000, 1)
    np.testing.assert_array_equal(
        np.concatenate((first, sound.frame(joined))), np.concatenate([apart.frame(piece) for piece in pieces])
    )


def test_how_many_bytes_a_time_of_sound_has() -> None:
    assert SoundIn("pcm16", 16_000, 1).enough(0.06) == 1920
    assert SoundIn("mulaw", 8_000, 1).enough(0.06) == 480
    assert SoundIn("pcm16", 16_000, 1).enough(0) == 1
    assert SoundIn("opus", 48_000, 1).enough(0.06) == MANY
