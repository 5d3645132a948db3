"""Recordings made to do harm, or that few programs make, each around the same spoken sentence."""

import io
import struct
import wave
from collections.abc import Callable
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from tests.hostile.bad import MARK, PROCESSED
from tests.hostile.bombs import giant_png
from tests.unit.ingest.sounds import encoded

Samples = NDArray[np.float32]
RATE_HZ = 16_000
SENTENCE = "The early train to London leaves at nine in the morning."
HEARD = "train to london leaves at"


@dataclass(frozen=True)
class BadRecording:
    """A recording: its name, its bytes made of speech at 16 kHz, the codes it may end with as a document, and at once.

    What is `processed` holds the sentence.
    """

    filename: str
    make: Callable[[Samples, str], bytes]
    ends: tuple[str, ...]
    answers: tuple[str, ...]


def wav(samples: NDArray[np.floating], rate_hz: int = RATE_HZ, channels: int = 1) -> bytes:
    """Return samples, each alike in all channels, as PCM16."""
    packed = io.BytesIO()
    with wave.open(packed, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes(np.repeat((np.clip(samples, -1, 1) * 32767).astype("<i2"), channels).tobytes())
    return packed.getvalue()


def tagged_wav(samples: Samples, tag: int) -> bytes:
    """Return 32-bit floats as a WAV whose format has this number: 3 are floats."""
    body = samples.astype("<f4").tobytes()
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, tag, 1, RATE_HZ, 4 * RATE_HZ, 4, 32)
    return b"RIFF" + struct.pack("<I", len(body) + 36) + head + b"data" + struct.pack("<I", len(body)) + body


def lying_wav(samples: Samples, length: int) -> bytes:
    data = bytearray(wav(samples))
    data[40:44] = length.to_bytes(4, "little")
    return bytes(data)


def faster(samples: Samples, rate_hz: int) -> NDArray[np.float64]:
    at = np.arange(int(len(samples) * rate_hz / RATE_HZ)) * RATE_HZ / rate_hz
    return np.interp(at, np.arange(len(samples)), samples)


def silent_flac(hours: int) -> bytes:
    """Return hours of silence at 16 kHz: a FLAC (RFC 9639) whose every frame of 4,096 samples is one constant."""
    small, large = _table(8, 0x07), _table(16, 0x8005)
    count = hours * 3600 * RATE_HZ
    info = struct.pack(">HH6xQ16x", 4096, 4096, RATE_HZ << 44 | 15 << 36 | count)
    out = bytearray(b"fLaC\x80\0\0\x22" + info)
    for number in range(-(-count // 4096)):
        head = b"\xff\xf8\xc5\x08" + _coded(number)
        frame = head + bytes([_checked(head, small, 8)]) + bytes(3)
        out += frame + _checked(frame, large, 16).to_bytes(2)
    return bytes(out)


def _coded(number: int) -> bytes:
    """Return a number as FLAC codes it: like UTF-8."""
    if not 0xD800 <= number < 0xE000:
        return chr(number).encode()
    return bytes([0xE0 | number >> 12, 0x80 | number >> 6 & 0x3F, 0x80 | number & 0x3F])


def _table(bits: int, polynomial: int) -> list[int]:
    """Return what each byte does to a check sum of so many bits."""
    found = []
    for byte in range(256):
        rest = byte << (bits - 8)
        for _ in range(8):
            rest = (rest << 1 ^ (polynomial if rest >> (bits - 1) else 0)) & ((1 << bits) - 1)
        found.append(rest)
    return found


def _checked(data: bytes, table: list[int], bits: int) -> int:
    value = 0
    for byte in data:
        value = (value << 8 & (1 << bits) - 1) ^ table[value >> (bits - 8) ^ byte]
    return value


def covered_mp3(samples: Samples) -> bytes:
    """Return an MP3 whose cover is a picture that decodes to 3.6 GB."""
    cover = b"\0image/png\0\3\0" + giant_png()
    body = b"APIC" + len(cover).to_bytes(4) + bytes(2) + cover
    size = len(body)
    safe = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + safe + body + encoded(samples, "mp3")


def video(samples: Samples) -> bytes:
    """Return an MP4 with moving pictures beside the sound."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        pictures = container.add_stream("mpeg4", rate=10, width=320, height=240, pix_fmt="yuv420p")
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for i in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 8 * i, np.uint8), format="rgb24")
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        pcm = np.ascontiguousarray((samples * 32767).astype("<i2").reshape(1, -1))
        heard = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        heard.sample_rate, heard.pts = RATE_HZ, 0
        container.mux(sound.encode(heard))
        container.mux(sound.encode(None))
    return buffer.getvalue()


UNHEARD = ("undecodable_audio",)
AT_THE_DOOR = ("type_mismatch",)
SILENT = ("no_text", "no_speech")
HEARS = (PROCESSED,)

RECORDINGS = (
    BadRecording("ten-hours.flac", lambda _, c: silent_flac(10), ("audio_too_long",), ("audio_too_long",)),
    BadRecording("playlist.mp3", lambda _, c: f"#EXTM3U\n#EXTINF:9,\n{c}{MARK}.ts\n".encode(), AT_THE_DOOR, UNHEARD),
    BadRecording(
        "tagged-playlist.mp3",
        lambda _, c: b"ID3\3\0\0\0\0\0\0" + f"#EXTM3U\n{c}{MARK}.ts\n".encode() * 50,
        UNHEARD,
        UNHEARD,
    ),
    BadRecording("concat.wav", lambda _, c: b"ffconcat version 1.0\nfile /etc/passwd\n", AT_THE_DOOR, UNHEARD),
    BadRecording("concat.m4a", lambda _, c: f"ffconcat version 1.0\nfile {c}{MARK}\n".encode(), AT_THE_DOOR, UNHEARD),
    BadRecording("long-lie.wav", lambda s, _: lying_wav(s, 0xFFFFFFFF), HEARS, HEARS),
    BadRecording(
        "short-lie.wav", lambda s, _: lying_wav(s, 7), (*UNHEARD, *SILENT, *HEARS), (*UNHEARD, *SILENT, *HEARS)
    ),
    BadRecording("nothing.wav", lambda _, c: wav(np.zeros(0)), UNHEARD, UNHEARD),
    BadRecording("384-khz.wav", lambda s, _: wav(faster(s, 384_000), 384_000), HEARS, HEARS),
    BadRecording("64-channels.wav", lambda s, _: wav(s, channels=64), HEARS, HEARS),
    BadRecording("65-channels.wav", lambda s, _: wav(s[:8000], channels=65), UNHEARD, UNHEARD),
    BadRecording("nan.wav", lambda s, _: tagged_wav(np.full(3 * RATE_HZ, np.nan, np.float32), 3), SILENT, SILENT),
    BadRecording(
        "some-nan.wav", lambda s, _: tagged_wav(np.concatenate([s, np.full(500, np.inf, np.float32)]), 3), HEARS, HEARS
    ),
    BadRecording("cover.mp3", lambda s, _: covered_mp3(s), HEARS, HEARS),
    BadRecording("video.mp4", lambda s, _: video(s), HEARS, HEARS),
    BadRecording("unknown.wav", lambda s, _: tagged_wav(s, 0x1234), UNHEARD, UNHEARD),
    BadRecording("unknown.webm", lambda s, _: encoded(s, "webm").replace(b"A_OPUS", b"A_OOPS"), UNHEARD, UNHEARD),
    BadRecording("silence.wav", lambda s, _: wav(np.zeros(3 * RATE_HZ)), SILENT, SILENT),
    BadRecording(
        "noise.wav", lambda s, _: wav(np.random.default_rng(0).normal(scale=0.1, size=3 * RATE_HZ)), SILENT, SILENT
    ),
    BadRecording("stereo-48.wav", lambda s, _: wav(faster(s, 48_000), 48_000, 2), HEARS, HEARS),
    *(
        BadRecording(
            f"cut.{kind}",
            lambda s, _, kind=kind: (whole := encoded(s, kind))[: len(whole) * 3 // 5],
            (*UNHEARD, *SILENT, PROCESSED),
            (*UNHEARD, *SILENT, PROCESSED),
        )
        for kind in ("wav", "flac", "mp3", "m4a", "ogg", "webm")
    ),
)
