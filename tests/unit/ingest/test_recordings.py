"""Recordings of any length become pieces that end in pauses, whatever they came in."""

import io
import time
import tracemalloc
import wave
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import pairwise, repeat

import numpy as np
import pytest

from pipelines.ingest import recording
from pipelines.ingest.formats import audio
from schemas.errors.sound import AudioTooLong, UndecodableAudio
from schemas.errors.tree import AuraError
from tests.unit.ingest.sounds import CONTAINERS, encoded, packed, tones

SPOKEN = ((1.0, 14.0), (14.6, 26.0), (27.0, 41.0), (42.0, 55.0), (56.0, 69.0), (70.0, 84.0))
PAUSES = (*(end for _, end in SPOKEN[:-1]),)


def levels(pcm: bytes, start_s: float) -> list[tuple[float, bool]]:
    """Return whether there is sound, for each tenth of a second of the recording."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    parts = samples[: len(samples) // 1600 * 1600].reshape(-1, 1600)
    return [(start_s + i / 10, bool(np.abs(part).max() > 1000)) for i, part in enumerate(parts)]


@pytest.mark.parametrize("kind", CONTAINERS)
def test_pieces_end_in_pauses_and_hold_the_sound_of_their_time(kind: str) -> None:
    data = encoded(tones(*SPOKEN, length_s=85), kind)
    plan = recording.plan(data)
    assert plan.duration_s == pytest.approx(85, abs=0.2)
    assert plan.spans[0][0] == 0
    assert plan.spans[-1][1] == plan.duration_s
    assert all(before[1] == after[0] for before, after in pairwise(plan.spans))
    assert all(end - start <= 30 for start, end in plan.spans)
    for _, cut in plan.spans[:-1]:
        assert any(end - 0.1 <= cut <= start + 0.1 for (_, end), (start, _) in pairwise(SPOKEN))
    wrong = []
    for start, end in plan.spans:
        piece = recording.piece(data, start, end)
        assert piece.duration_s == pytest.approx(end - start, abs=0.01)
        for at, sounds in levels((piece.samples * 32767).astype("<i2").tobytes(), start):
            said = [(a - 0.15 <= at <= b + 0.05) for a, b in SPOKEN]
            sure = [(a + 0.15 <= at <= b - 0.25) for a, b in SPOKEN]
            if (sounds and not any(said)) or (not sounds and any(sure)):
                wrong.append(at)
    assert wrong == []


def test_stereo_and_other_rates_are_mixed() -> None:
    data = encoded(tones((2, 4), length_s=10), "flac", layout="stereo")
    piece = recording.piece(data, 1, 5)
    found = dict(levels((piece.samples * 32767).astype("<i2").tobytes(), 0))
    assert (found[0.5], found[2.0], found[3.5]) == (False, True, False)


def test_a_recording_of_one_sound_without_pauses_is_cut_all_the_same() -> None:
    plan = audio.plan(encoded(tones((0, 100), length_s=100), "wav"))
    assert all(end - start <= 30 for start, end in plan.spans)
    assert plan.spans[-1][1] == pytest.approx(100, abs=0.1)


def test_a_short_rest_is_not_a_piece_of_its_own() -> None:
    plan = audio.plan(encoded(tones((0, 28.5), length_s=29.5), "wav"))
    assert plan.spans == ((0.0, 29.5),)


def wav(samples: np.ndarray, rate_hz: int = 16_000, channels: int = 1) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def float_wav(samples: np.ndarray) -> bytes:
    body = samples.astype("<f4").tobytes()
    head = b"WAVEfmt " + (16).to_bytes(4, "little") + bytes.fromhex("0300 0100 803e0000 00fa0000 0400 2000")
    return b"RIFF" + (len(body) + 36).to_bytes(4, "little") + head + b"data" + len(body).to_bytes(4, "little") + body


def test_numbers_that_are_none_are_silence() -> None:
    samples = tones((1, 2), length_s=3)
    samples[:1000], samples[2000:2100] = np.nan, np.inf
    piece = recording.piece(float_wav(samples), 0, 3)
    assert np.isfinite(piece.samples).all()
    assert np.abs(piece.samples[:900]).max() == 0


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0, 7])
def test_a_wav_that_lies_about_its_length_is_read_as_it_is(length: int) -> None:
    data = bytearray(wav(tones((1, 2), length_s=3) * 32767))
    data[40:44] = length.to_bytes(4, "little")
    assert audio.plan(bytes(data)).duration_s <= 3.1


@cache
def twenty_minutes() -> bytes:
    """Return a recording of silence."""
    return packed(repeat(np.zeros(44_100, "<i2"), 1_200), "flac")


def test_silence_that_packs_to_nothing_is_refused_soon() -> None:
    data = twenty_minutes()
    assert len(data) < 2 << 20
    began = time.process_time()
    with pytest.raises(AudioTooLong):
        audio.plan(data, max_s=300)
    assert time.process_time() - began < 5


def test_a_recording_is_never_held_whole() -> None:
    data = twenty_minutes()
    tracemalloc.start()
    audio.plan(data)
    audio.piece(data, 600, 629)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20  # 20 minutes are 210 MB of floats at 44.1 kHz.


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"#EXTM3U\nhttp://127.0.0.1/a.ts\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"ID3" + bytes(3_000),
        wav(np.zeros(0)),
        wav(np.zeros(1_000), rate_hz=1),
        wav(np.zeros(65 * 100), channels=65),
        encoded(tones((0, 1), length_s=1), "webm").replace(b"A_OPUS", b"A_OOPS"),
        b"\xff\xfb\x90\x00" + bytes(5_000),
    ],
)
def test_what_is_no_recording_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(UndecodableAudio):
        recording.plan(data)
    with suppress(UndecodableAudio):
        assert not recording.piece(data, 0, 10).samples.any()


@pytest.mark.parametrize(("kind", "layout"), [("m4a", "7.1"), ("m4a", "5.1"), ("flac", "7.1"), ("ogg", "7.1")])
def test_sound_of_many_channels_is_mixed(kind: str, layout: str) -> None:
    data = encoded(tones((1, 2), length_s=3), kind, layout=layout)
    piece = recording.piece(data, 0, recording.plan(data).duration_s)
    found = dict(levels((piece.samples * 32767).astype("<i2").tobytes(), 0))
    assert (found[0.5], found[1.5], found[2.5]) == (False, True, False)


def test_a_high_rate_is_read_and_too_many_values_are_not() -> None:
    assert audio.plan(wav(np.zeros(384_000 * 2), rate_hz=384_000)).duration_s == pytest.approx(2, abs=0.1)
    with pytest.raises(AudioTooLong):
        audio.plan(wav(np.zeros(384_000 * 2), rate_hz=384_000), max_s=3)


@pytest.mark.parametrize("kind", ["mp3", "ogg", "aac"])
def test_recordings_in_a_row_in_one_file_are_one_recording(kind: str) -> None:
    data = encoded(tones((2, 18), length_s=40), kind) + encoded(tones((5, 15), length_s=40), kind)
    plan = recording.plan(data)
    assert plan.duration_s == pytest.approx(80, abs=0.5)
    found = dict[int, bool]()
    for start, end in plan.spans:
        piece = recording.piece(data, start, end)
        for at, sounds in levels((piece.samples * 32767).astype("<i2").tobytes(), start):
            found[round(at * 10)] = sounds
    assert [found[at * 10] for at in (1, 3, 17, 20, 39, 43, 47, 53, 57)] == [
        *(False, True, True, False, False),
        *(False, True, True, False),
    ]


def test_a_piece_beyond_the_end_is_silence() -> None:
    data = encoded(tones((0, 3), length_s=3), "mp3")
    assert not recording.piece(data, 100, 110).samples.any()


@pytest.mark.parametrize("kind", CONTAINERS)
def test_cut_and_flipped_recordings_raise_nothing_else(kind: str) -> None:
    whole = encoded(tones((0.2, 1), (1.4, 2), length_s=2), kind)
    rng = np.random.default_rng(1)
    began = time.process_time()

    def tried(work: Callable[[], object]) -> None:
        try:
            work()
        except AuraError:
            return

    for _ in range(60):
        data = bytearray(whole[: rng.integers(1, len(whole) + 1)])
        for at in rng.integers(0, len(data), rng.integers(0, 20)):
            data[at] = rng.integers(0, 256)
        tried(lambda data=bytes(data): audio.plan(data))
        tried(lambda data=bytes(data): audio.piece(data, 0.5, 1.5))
        tried(lambda data=bytes(data): audio.piece(data, 8, 9))
    assert time.process_time() - began < 30
