"""Any recording becomes 16 kHz mono; what is none is refused; a client's frames join without a seam."""

import io
import struct
import wave

import numpy as np
import pytest

from pipelines.turn.sound.audio import decode, pcm16, samples, wav
from tests.unit.turn.recordings import encoded, raw_wav, tone


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


def test_values_that_are_no_numbers_are_silence_and_infinite_ones_are_clipped() -> None:
    sound = np.zeros((16_000, 2), "<f4")
    sound[1_000:15_000] = [np.nan, 0.5]
    found = decode(raw_wav(sound.tobytes(), code=3, channels=2, bits=32), 60).samples
    np.testing.assert_allclose(found[2_000:14_000], 0.25, atol=1e-3)
    sound[1_000:15_000] = [np.inf, 1e30]
    found = decode(raw_wav(sound.tobytes(), code=3, channels=2, bits=32), 60).samples
    np.testing.assert_allclose(found[2_000:14_000], 1, atol=1e-3)


def test_a_flac_behind_a_tag_is_decoded() -> None:
    tag = b"ID3\x03\x00\x00\x00\x00\x01\x00" + bytes(128)
    assert decode(tag + encoded("flac", "flac", 16_000), 60).duration_s == pytest.approx(1)


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_wav_with_a_false_length_gives_what_is_there(length: int) -> None:
    whole = wav(pcm16(tone(1, 16_000)), 16_000)
    assert decode(whole[:40] + struct.pack("<I", length) + whole[44:], 60).duration_s == pytest.approx(1)


def test_a_file_cut_short_gives_what_is_there() -> None:
    whole = encoded("flac", "flac", 16_000, seconds=4)
    assert 0.5 < decode(whole[: len(whole) // 2], 60).duration_s < 4


def test_samples_survive_pcm_and_wav() -> None:
    sound = tone(0.1, 16_000)
    np.testing.assert_allclose(samples(pcm16(sound)), sound, atol=1e-4)
    assert pcm16(np.array([2.0, -2.0], np.float32)) == struct.pack("<hh", 32767, -32767)
    with wave.open(io.BytesIO(wav(pcm16(sound), 22_050))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 22_050, len(sound))
