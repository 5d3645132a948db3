"""Any recording becomes 16 kHz mono; what is none is refused; a client's frames join without a seam."""

import io
import itertools
import struct
import wave

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.turn.audio import Pcm16Stream, decode, pcm16, samples, wav
from schemas.errors import AudioTooLong, UndecodableAudio

LAYOUTS = {1: "mono", 2: "stereo"}


def tone(seconds: float, rate_hz: int, level: float = 0.3) -> NDArray[np.float32]:
    return (level * np.sin(np.arange(int(seconds * rate_hz)) * 2 * np.pi * 440 / rate_hz)).astype(np.float32)


def encoded(container: str, codec: str, rate_hz: int, *, seconds: float = 1.0, video: bool = False) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout="mono")
        if video:
            pictures = output.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
            for _ in range(int(10 * seconds)):
                output.mux(pictures.encode(av.VideoFrame(64, 64, "yuv420p")))
            output.mux(pictures.encode())
        context = stream.codec_context
        resampler = av.AudioResampler(context.format.name, "mono", rate_hz, frame_size=context.frame_size or None)
        frame = av.AudioFrame.from_ndarray((tone(seconds, rate_hz) * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = rate_hz
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            output.mux(stream.encode(piece))
    return file.getvalue()


def raw_wav(data: bytes, *, code: int = 1, channels: int = 1, rate_hz: int = 16_000, bits: int = 16) -> bytes:
    align = channels * bits // 8
    head = struct.pack("<IHHIIHH", 16, code, channels, rate_hz, rate_hz * align & 0xFFFFFFFF, align & 0xFFFF, bits)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + head + b"data" + struct.pack("<I", len(data)) + data
    )


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz"),
    [
        ("wav", "pcm_s16le", 8_000),
        ("wav", "pcm_s24le", 48_000),
        ("wav", "pcm_f32le", 44_100),
        ("wav", "pcm_u8", 16_000),
        ("wav", "pcm_s16le", 384_000),
        ("flac", "flac", 44_100),
        ("mp3", "libmp3lame", 44_100),
        ("ipod", "aac", 44_100),
        ("adts", "aac", 44_100),
        ("ogg", "libopus", 48_000),
        ("webm", "libopus", 48_000),
    ],
)
def test_a_recording_of_any_kind_is_decoded(container: str, codec: str, rate_hz: int) -> None:
    audio = decode(encoded(container, codec, rate_hz), 60)
    assert audio.sample_rate_hz == 16_000
    assert audio.duration_s == pytest.approx(1.0, abs=0.06)
    middle = audio.samples[4_000:12_000]
    spectrum = np.abs(np.fft.rfft(middle))
    assert int(spectrum.argmax()) * 2 == pytest.approx(440, abs=4)
    assert float(np.sqrt((middle**2).mean())) == pytest.approx(0.3 / 2**0.5, rel=0.1)


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_of_a_video_the_sound_is_taken(container: str) -> None:
    codec = "aac" if container == "mp4" else "libopus"
    assert decode(encoded(container, codec, 48_000, video=True), 60).duration_s == pytest.approx(1.0, abs=0.06)


def test_channels_are_averaged() -> None:
    left, right = np.full(16_000, 8_000, "<i2"), np.full(16_000, -4_000, "<i2")
    found = decode(raw_wav(np.stack([left, right], axis=1).tobytes(), channels=2), 60).samples
    assert float(found.mean()) == pytest.approx(2_000 / 32_768, rel=0.01)
    assert decode(raw_wav(bytes(64 * 2 * 16_000), channels=64), 60).duration_s == 1


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_wav_with_a_false_length_gives_what_is_there(length: int) -> None:
    whole = wav(pcm16(tone(1, 16_000)), 16_000)
    assert decode(whole[:40] + struct.pack("<I", length) + whole[44:], 60).duration_s == pytest.approx(1)


def test_a_file_cut_short_gives_what_is_there() -> None:
    whole = encoded("flac", "flac", 16_000, seconds=4)
    assert 0.5 < decode(whole[: len(whole) // 2], 60).duration_s < 4


def test_the_limit_counts_decoded_seconds_not_bytes() -> None:
    silence = io.BytesIO()
    with av.open(silence, "w", format="flac") as output:
        stream = output.add_stream("flac", rate=8_000, layout="mono")
        for _ in range(3_600):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8_000), np.int16), "s16", "mono")
            frame.sample_rate = 8_000
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    assert len(silence.getvalue()) < 1_000_000  # As PCM it is 57 MB.
    with pytest.raises(AudioTooLong):
        decode(silence.getvalue(), 1_800)


NOTHING = {
    "empty": b"",
    "no samples": wav(b"", 16_000),
    "header cut": wav(b"", 16_000)[:20],
    "not numbers": raw_wav(np.full(16_000, np.nan, "<f4").tobytes(), code=3, bits=32),
    "infinite": raw_wav(np.full(16_000, np.inf, "<f4").tobytes(), code=3, bits=32),
    "unknown codec": raw_wav(bytes(32_000), code=0x1234),
    "no channels": raw_wav(bytes(32_000), channels=0),
    "65,535 channels": raw_wav(bytes(320_000), channels=65_535),
    "rate of 0": raw_wav(bytes(32_000), rate_hz=0),
    "rate of 1": raw_wav(bytes(32_000), rate_hz=1),
    "rate of 4 GHz": raw_wav(bytes(32_000), rate_hz=0xFFFFFFFF),
    "text": b"Hello, this is no sound at all.",
    "zeros": bytes(100_000),
    "ones": b"\xff" * 100_000,
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(1_000),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_sound_is_refused(name: str) -> None:
    with pytest.raises(UndecodableAudio):
        decode(NOTHING[name], 60)


@pytest.mark.parametrize(
    "script",
    [
        "#EXTM3U\n#EXTINF:1,\nfile://{path}\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{path}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    ],
)
@pytest.mark.parametrize("disguise", [b"", b"ID3\x03\x00\x00\x00\x00\x00\x00"])
def test_a_playlist_never_opens_another_file(
    script: str, disguise: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.wav"
    secret.write_bytes(wav(pcm16(tone(1, 16_000)), 16_000))
    with pytest.raises(UndecodableAudio):
        decode(disguise + script.format(path=secret).encode(), 60)


@given(
    st.sampled_from(
        [b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3", b"\0\0\0\x20ftyp", b"ID3", b"\xff\xfb"]
    ),
    st.binary(max_size=2_000),
)
def test_damaged_bytes_end_in_a_clear_error_or_sound(magic: bytes, rest: bytes) -> None:
    try:
        found = decode(magic + rest, 60).samples
    except (UndecodableAudio, AudioTooLong):
        return
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (8_000, 1), (48_000, 2), (44_100, 1), (24_000, 1)])
@given(cuts=st.lists(st.integers(0, 20_000), max_size=20))
def test_frames_cut_anywhere_give_the_same_samples(rate_hz: int, channels: int, cuts: list[int]) -> None:
    pcm = pcm16(np.repeat(tone(0.2, rate_hz), channels))
    edges = [0, *sorted(min(cut, len(pcm)) for cut in cuts), len(pcm)]

    def streamed(pieces: list[bytes]) -> NDArray[np.float32]:
        stream = Pcm16Stream(rate_hz, channels)
        return np.concatenate([*(stream.feed(piece) for piece in pieces), stream.finish()])

    whole = streamed([pcm])
    np.testing.assert_array_equal(streamed([pcm[a:b] for a, b in itertools.pairwise(edges)]), whole)
    assert len(whole) == pytest.approx(0.2 * 16_000, abs=2)


def test_frames_join_without_a_click() -> None:
    pcm = pcm16(tone(1, 48_000))
    stream = Pcm16Stream(48_000)
    joined = np.concatenate([stream.feed(pcm[at : at + 1_920]) for at in range(0, len(pcm), 1_920)])
    steps = np.abs(np.diff(joined[200:]))
    assert float(steps.max()) < 0.3 * 2 * np.pi * 440 / 16_000 * 1.05


@pytest.mark.parametrize(("rate_hz", "channels"), [(7_999, 1), (48_001, 1), (16_000, 3), (16_000, 0)])
def test_a_stream_of_another_form_is_refused(rate_hz: int, channels: int) -> None:
    with pytest.raises(UndecodableAudio):
        Pcm16Stream(rate_hz, channels)


def test_samples_survive_pcm_and_wav() -> None:
    sound = tone(0.1, 16_000)
    np.testing.assert_allclose(samples(pcm16(sound)), sound, atol=1e-4)
    assert pcm16(np.array([2.0, -2.0], np.float32)) == struct.pack("<hh", 32767, -32767)
    with wave.open(io.BytesIO(wav(pcm16(sound), 22_050))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 22_050, len(sound))
