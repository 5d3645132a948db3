"""What a listener decodes is what was spoken, however the sound came in pieces."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.turn.sound import audio_out
from pipelines.turn.sound.audio import decode
from pipelines.turn.sound.audio_out import Encoder, encoder
from schemas.errors.requests import InvalidRequest
from tests.unit.turn.recordings import raw_wav

Heard = NDArray[np.float32]
HEAR_HZ = 16_000


def spoken(seconds: float, rate_hz: int) -> bytes:
    """Return a tone that rises from 200 to 1,800 Hz, louder and softer three times a second, as PCM16."""
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    loud = 0.2 + 0.15 * np.sin(2 * np.pi * 3 * at)
    return (32767 * loud * np.sin(2 * np.pi * (200 + 800 * at / seconds) * at)).astype("<i2").tobytes()


def heard(made: Encoder, data: bytes) -> Heard:
    if made.encoding == "pcm16":
        data = raw_wav(data, rate_hz=made.sample_rate_hz)
    if made.encoding == "mulaw":
        data = raw_wav(data, code=7, bits=8, rate_hz=made.sample_rate_hz)
    return np.asarray(decode(data, 3600).samples)


def likeness(found: Heard, said: bytes, rate_hz: int) -> tuple[float, float]:
    """Return how alike both sound where they fit best, 0…1, and by how many seconds `found` is late."""
    wanted = decode(raw_wav(said, rate_hz=rate_hz), 3600).samples
    size = 1 << (len(found) + len(wanted)).bit_length()
    fits = np.fft.irfft(np.fft.rfft(found, size) * np.conj(np.fft.rfft(wanted, size)))
    late = int(fits[: size // 2].argmax())
    cut = found[late : late + len(wanted)]
    shared = wanted[: len(cut)]
    return float(cut @ shared / np.sqrt((cut @ cut) * (wanted @ wanted))), late / HEAR_HZ


@pytest.mark.parametrize("encoding", audio_out.ENCODINGS)
@pytest.mark.parametrize("source_hz", [16_000, 22_050, 24_000])
@pytest.mark.parametrize("rate_hz", [8_000, 11_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_what_is_decoded_is_what_was_spoken(encoding: str, source_hz: int, rate_hz: int) -> None:
    said = spoken(1.5, source_hz)
    made = encoder(encoding, source_hz, rate_hz)
    data = b"".join(made.feed(said[at : at + 1_999]) for at in range(0, len(said), 1_999)) + made.flush()
    alike, late_s = likeness(heard(made, data), said, source_hz)
    assert alike > 0.98
    assert late_s < (0.25 if encoding == "mp3" else 0.002)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(audio_out.ENCODINGS), st.lists(st.integers(1, 17_639), max_size=30))
def test_where_the_pieces_are_cut_changes_nothing(encoding: str, cuts: list[int]) -> None:
    said = spoken(0.4, 22_050)
    whole, pieces = (encoder(encoding, 22_050, 16_000) for _ in range(2))
    edges = [0, *sorted(set(cuts)), len(said)]
    joined = b"".join(pieces.feed(said[a:b]) for a, b in itertools.pairwise(edges)) + pieces.flush()
    expected = whole.feed(said) + whole.flush()
    if encoding == "opus":  # The serial number of an Ogg stream is drawn by lot, and its check sums with it.
        np.testing.assert_array_equal(heard(whole, joined), heard(whole, expected))
    else:
        assert joined == expected


@pytest.mark.parametrize("encoding", audio_out.ENCODINGS)
def test_first_sound_comes_before_a_tenth_of_a_second_is_spoken(encoding: str) -> None:
    made = encoder(encoding, 22_050, 24_000)
    said = spoken(0.5, 22_050)
    fed = next(at for at in range(882, len(said), 882) if len(made.feed(said[at - 882 : at])) > 0)
    assert fed / 2 / 22_050 <= 0.1


@pytest.mark.parametrize("encoding", audio_out.ENCODINGS)
@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 48_000])
def test_in_a_pause_nothing_of_a_sentence_is_held_back(encoding: str, rate_hz: int) -> None:
    made = encoder(encoding, 24_000, rate_hz)
    said = spoken(0.73, 24_000)
    data = made.feed(said) + made.settle()
    alike, _ = likeness(heard(made, data), said, 24_000)
    assert alike > 0.98
    length = len(heard(made, data)) / HEAR_HZ
    assert length < 0.73 + 2 * made.hold_s + 0.1


@pytest.mark.parametrize("encoding", audio_out.ENCODINGS)
def test_another_voice_may_go_on_at_another_rate(encoding: str) -> None:
    made = encoder(encoding, 22_050, 24_000)
    data = made.feed(spoken(0.5, 22_050)) + made.feed(spoken(0.5, 48_000), 48_000) + made.flush()
    alike, _ = likeness(heard(made, data), spoken(0.5, 22_050) + bytes(22_050), 22_050)
    found = heard(made, data)
    assert len(found) / HEAR_HZ == pytest.approx(1.0, abs=0.25 if encoding == "mp3" else 0.03)
    assert alike > 0.6
    both, _ = likeness(found, spoken(0.5, 24_000) + spoken(0.5, 24_000), 24_000)
    assert both > 0.95


@pytest.mark.parametrize("encoding", audio_out.ENCODINGS)
def test_full_level_does_not_wrap(encoding: str) -> None:
    said = (32767 * np.sign(np.sin(np.arange(11_025) * 2 * np.pi * 300 / 22_050))).astype("<i2").tobytes()
    made = encoder(encoding, 22_050, 16_000)
    alike, _ = likeness(heard(made, made.feed(said) + made.flush()), said, 22_050)
    assert alike > 0.93


@pytest.mark.parametrize("encoding", audio_out.ENCODINGS)
def test_no_sound_is_no_fault(encoding: str) -> None:
    made = encoder(encoding, 22_050, 16_000)
    assert isinstance(made.feed(b"") + made.feed(b"\1") + made.flush(), bytes)


@pytest.mark.parametrize(
    ("encoding", "source_hz", "rate_hz"),
    [("flac", 16_000, 16_000), ("opus", 16_000, 4_000), ("mp3", 16_000, 96_000), ("pcm16", 0, 16_000)],
)
def test_what_is_not_offered_is_refused(encoding: str, source_hz: int, rate_hz: int) -> None:
    with pytest.raises(InvalidRequest):
        encoder(encoding, source_hz, rate_hz)
