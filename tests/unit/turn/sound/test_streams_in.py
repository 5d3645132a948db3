"""A client's stream in any encoding, cut anywhere, becomes the same 16 kHz sound; a broken one is refused."""

import itertools
import random
from collections.abc import Sequence
from functools import cache

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.turn.sound.audio import decode, pcm16
from pipelines.turn.sound.audio_in import stream_decoder
from schemas.errors.sound import AudioTooLong, UndecodableAudio
from tests.unit.turn.recordings import encoded, tone

Samples = NDArray[np.float32]


@cache
def recording(container: str) -> bytes:
    return encoded(container, "libopus", 48_000, seconds=2.0)


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def streamed(encoding: str, data: Sequence[bytes], rate_hz: int = 48_000, channels: int = 1) -> Samples:
    stream = stream_decoder(encoding, rate_hz, channels)
    return np.concatenate([*(stream.feed(piece) for piece in data), stream.flush()])


@cache
def in_one_piece(encoding: str, data: bytes, rate_hz: int = 48_000, channels: int = 1) -> Samples:
    """Return what every way to cut `data` must give."""
    return streamed(encoding, [data], rate_hz, channels)


def pitch_hz(sound: Samples) -> float:
    return float(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax()) * 16_000 / len(sound)


@pytest.mark.parametrize("container", ["webm", "ogg"])
def test_a_recorder_s_stream_is_decoded_as_the_file_is(container: str) -> None:
    data = recording(container)
    found, whole = streamed("opus", [data]), decode(data, 60).samples
    assert len(found) == pytest.approx(len(whole), abs=400)
    assert pitch_hz(found[8_000:24_000]) == pytest.approx(440, abs=2)
    assert float(np.sqrt((found[8_000:24_000] ** 2).mean())) == pytest.approx(0.3 / 2**0.5, rel=0.05)


@pytest.mark.parametrize("container", ["webm", "ogg"])
@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 1 << 20), max_size=60))
def test_where_a_stream_is_cut_does_not_matter(container: str, cuts: list[int]) -> None:
    data = recording(container)
    np.testing.assert_array_equal(streamed("opus", pieces(data, cuts)), in_one_piece("opus", data))


@pytest.mark.parametrize("container", ["webm", "ogg"])
def test_a_stream_byte_by_byte_gives_sound_as_soon_as_a_packet_is_whole(container: str) -> None:
    stream, heard, data = stream_decoder("opus", 48_000), 0, recording(container)
    firsts = []
    for at in range(len(data)):
        heard += len(stream.feed(data[at : at + 1]))
        firsts += [at] if heard and not firsts else []
    assert heard > 30_000
    assert firsts[0] < len(data) * (0.1 if container == "webm" else 0.7)  # An Ogg page holds a second.


@pytest.mark.parametrize("container", ["webm", "ogg"])
def test_a_recorder_that_is_started_again_goes_on(container: str) -> None:
    data = recording(container)
    assert len(streamed("opus", [data, data])) == pytest.approx(2 * len(streamed("opus", [data])), abs=100)


@pytest.mark.parametrize("container", ["webm", "ogg"])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 30), share=st.sampled_from([0.001, 0.01, 0.2]))
def test_a_damaged_stream_gives_sound_or_is_refused(container: str, seed: int, share: float) -> None:
    chance = random.Random(seed)
    data = bytearray(recording(container))
    for _ in range(max(1, int(share * len(data)))):
        data[chance.randrange(len(data))] = chance.randrange(256)
    stream = stream_decoder("opus", 48_000)
    try:
        for piece in pieces(bytes(data), [chance.randrange(len(data)) for _ in range(20)]):
            found = stream.feed(piece)
            assert found.dtype == np.float32 and np.isfinite(found).all() and np.abs(found).max(initial=0) <= 1
    except UndecodableAudio:
        with pytest.raises(UndecodableAudio):
            stream.feed(b"more")


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300), start=st.sampled_from([b"", b"OggS\0", b"\x1a\x45\xdf\xa3"]))
def test_any_bytes_give_sound_or_are_refused(data: bytes, start: bytes) -> None:
    stream = stream_decoder("opus", 48_000)
    try:
        stream.feed(start + data)
        stream.feed(data)
    except UndecodableAudio:
        return


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded("matroska", "aac", 48_000), id="aac in matroska"),
        pytest.param(encoded("ogg", "libopus", 48_000)[60:], id="an ogg from its middle"),
        pytest.param(encoded("mp3", "libmp3lame", 44_100), id="mp3"),
        pytest.param(b"#EXTM3U\nfile:///etc/passwd\n", id="playlist"),
        pytest.param(b"OggS\1" + bytes(40), id="another version of Ogg"),
        pytest.param(b"\x1a\x45\xdf\xa3\x80\xec\x01" + b"\xff" * 6 + b"\xfe", id="an element without an end"),
        pytest.param(b"\x1a\x45\xdf\xa3\x80\xa3\x81\x81", id="a block too short"),
        pytest.param(b"\x1a\x45\xdf\xa3\x80\xa3\x85\x81\0\0\6\0", id="a block before any track"),
        pytest.param(b"\x1a\x45\xdf\xa3\x80\0\0\0\0\0\0\0\0\0", id="a name of nine bytes"),
    ],
)
def test_what_is_no_opus_stream_gives_no_sound(data: bytes) -> None:
    try:
        assert not len(streamed("opus", [data]))
    except UndecodableAudio:
        return


def test_a_stream_that_begins_in_its_middle_is_refused() -> None:
    data = recording("webm")
    with pytest.raises(UndecodableAudio):
        streamed("opus", [data[data.index(b"\x1f\x43\xb6\x75") :]])


def page(packets: Sequence[bytes], *, flags: int = 0, serial: int = 7) -> bytes:
    """Return an Ogg page of whole packets, without a checksum."""
    lengths = b"".join(b"\xff" * (len(one) // 255) + bytes([len(one) % 255]) for one in packets)
    assert len(lengths) < 256
    head = b"OggS\0" + bytes([flags]) + bytes(8) + serial.to_bytes(4, "little") + bytes(8) + bytes([len(lengths)])
    return head + lengths + b"".join(packets)


HEAD = page([b"OpusHead\1\1" + (312).to_bytes(2, "little") + (48_000).to_bytes(4, "little") + bytes(3)], flags=2)


def test_a_small_piece_that_holds_an_hour_is_refused() -> None:
    # Code 3 with 6 frames of 20 ms, none of which has a byte.
    silence = page([b"\xfb\x06"] * 250)
    stream = stream_decoder("opus", 48_000)
    stream.feed(HEAD)
    assert len(stream.feed(silence)) == pytest.approx(30 * 16_000, rel=0.01)
    with pytest.raises(AudioTooLong):
        stream.feed(silence * 8)


def test_a_packet_without_an_end_is_not_kept_without_bound() -> None:
    stream = stream_decoder("opus", 48_000)
    stream.feed(HEAD)
    endless = b"OggS\0\1" + bytes(8) + (7).to_bytes(4, "little") + bytes(8) + b"\xff" + b"\xff" * 255 + bytes(255 * 255)
    with pytest.raises(UndecodableAudio):
        for _ in range(10):
            stream.feed(endless)


def test_a_video_s_pictures_are_passed_over() -> None:
    found = streamed("opus", pieces(encoded("matroska", "libopus", 48_000, video=True), range(0, 100_000, 777)))
    assert len(found) == pytest.approx(16_000, abs=600)


def test_a_lost_packet_is_silence_of_its_length() -> None:
    data = recording("webm")
    stream = stream_decoder("opus", 48_000)
    whole = streamed("opus", [data])
    # A packet whose frame count is 0 is none.
    head, rest = data[: len(data) // 2], data[len(data) // 2 :]
    block = b"\xa3\x86\x81\0\0\x80\x03\0"
    at = rest.index(b"\xa3")
    found = np.concatenate([stream.feed(head + rest[:at]), stream.feed(block), stream.feed(rest[at:]), stream.flush()])
    assert len(found) == pytest.approx(len(whole) + 320, abs=2)


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_the_telephone_s_bytes_are_what_ffmpeg_reads(encoding: str) -> None:
    codec = av.AudioCodecContext.create(f"pcm_{encoding}", "r")
    codec.sample_rate, codec.layout = 8_000, "mono"
    every = bytes(range(256))
    (frame,) = codec.decode(av.Packet(every))
    np.testing.assert_array_equal(streamed(encoding, [every], 16_000) * 32_768, frame.to_ndarray()[0])


@pytest.mark.parametrize("encoding", ["pcm16", "mulaw", "alaw"])
@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (11_025, 2), (16_000, 1), (44_100, 1), (48_000, 2)])
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 1 << 20), max_size=30))
def test_raw_pieces_cut_anywhere_give_the_same_sound(
    encoding: str, rate_hz: int, channels: int, cuts: list[int]
) -> None:
    data = np.random.default_rng(5).bytes(rate_hz // 4)
    whole = in_one_piece(encoding, data, rate_hz, channels)
    np.testing.assert_array_equal(streamed(encoding, pieces(data, cuts), rate_hz, channels), whole)
    width = (2 if encoding == "pcm16" else 1) * channels
    assert len(whole) == pytest.approx(len(data) / width / rate_hz * 16_000, abs=2)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000])
def test_frames_join_without_a_click_and_without_a_wait(rate_hz: int) -> None:
    pcm, stream = pcm16(tone(1, rate_hz)), stream_decoder("pcm16", rate_hz)
    size = rate_hz // 50 * 2
    found: list[Samples] = []
    for end in range(size, len(pcm) + 1, size):
        found.append(stream.feed(pcm[end - size : end]))
        assert sum(map(len, found)) / 16_000 > end / 2 / rate_hz - 0.0025
    joined = np.concatenate(found)
    expected = tone(1, 16_000)[200 : len(joined) - 200]
    np.testing.assert_allclose(joined[200 : len(expected) + 200], expected, atol=2e-3)


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "channels"),
    [("pcm16", 7_999, 1), ("mulaw", 48_001, 1), ("alaw", 8_000, 3), ("pcm16", 16_000, 0), ("mp3", 16_000, 1)],
)
def test_a_stream_of_another_form_is_refused(encoding: str, rate_hz: int, channels: int) -> None:
    with pytest.raises(UndecodableAudio):
        stream_decoder(encoding, rate_hz, channels)


def test_a_stream_may_begin_anew_after_a_flush() -> None:
    pcm = pcm16(tone(0.2, 48_000))
    stream = stream_decoder("pcm16", 48_000)
    first = np.concatenate([stream.feed(pcm + b"\x01"), stream.flush()])
    np.testing.assert_array_equal(np.concatenate([stream.feed(pcm), stream.flush()]), first)
