"""Sound in and out: any recording to 16 kHz mono; samples to PCM16 and WAV."""

import io
import struct
import wave
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import soxr

from pipelines.containers import Samples, by_channel, check, mono, opened, packets, values
from pipelines.ports.sound import STT_RATE_HZ, Audio
from schemas.errors.sound import AudioTooLong, UndecodableAudio

NOTHING: Samples = np.zeros(0, np.float32)

MAX_VALUES_PER_S = 768_000
"""Values, over all channels, that a second of the longest recording may have on average: it bounds the work."""


def decode(data: bytes, max_s: float) -> Audio:
    """Return a WAV, FLAC, MP3, AAC, M4A/MP4, OGG or WEBM/Matroska file's first audio track, 16 kHz mono.

    Channels are averaged; values that are no numbers are silence. Pictures and video are not decoded.
    Where a file is cut short, what is there is returned. Raises AudioTooLong as soon as more than
    `max_s` seconds are decoded, however small the file; UndecodableAudio for other formats or no sound.
    """
    joined = bytearray()  # It grows in place: the samples of an hour are not held twice.
    resampler: soxr.ResampleStream | None = None
    rate_hz = counted = 0
    decoded_s = 0.0
    for frame in _frames(data):
        decoded_s += frame.samples / frame.sample_rate
        counted += frame.samples * frame.layout.nb_channels
        if decoded_s > max_s or counted > max_s * MAX_VALUES_PER_S:
            raise AudioTooLong(f"The recording is longer than {max_s:.0f} seconds.", max_s=max_s)
        # The rate may change where recordings were joined, in OGG above all.
        if resampler is None or frame.sample_rate != rate_hz:
            if resampler is not None:
                joined += resampler.resample_chunk(NOTHING, last=True).tobytes()
            rate_hz = frame.sample_rate
            resampler = soxr.ResampleStream(rate_hz, STT_RATE_HZ, 1, dtype="float32", quality="HQ")
        joined += resampler.resample_chunk(_mono(frame)).tobytes()
    if resampler is not None:
        joined += resampler.resample_chunk(NOTHING, last=True).tobytes()
    if not joined:
        raise UndecodableAudio("The recording holds no sound.")
    samples = np.frombuffer(joined, np.float32)
    return Audio(np.clip(samples, -1, 1, out=samples), STT_RATE_HZ)


def _frames(data: bytes) -> Iterator[av.AudioFrame]:
    """Yield what the first audio track decodes to. Raises UndecodableAudio."""
    good = bad = 0
    try:
        with opened(data) as (container, stream):
            for packet in packets(container, stream, 2 * len(data)):
                try:
                    frames: list[Any] = packet.decode()
                except av.FFmpegError:
                    bad += 1
                    continue
                good += len(frames)
                for frame in frames:
                    check(frame)
                    yield frame
    except (av.FFmpegError, ValueError, LookupError) as error:
        if not good:
            raise UndecodableAudio from error
    if bad > good:
        raise UndecodableAudio("The recording is damaged.")


def _mono(frame: av.AudioFrame) -> Samples:
    return mono(by_channel(values(frame), frame.layout.nb_channels, frame.format.is_planar))


def pcm16(samples: Samples) -> bytes:
    """Return PCM16 little-endian; samples beyond -1…1 are clipped."""
    return (np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes()


def samples(pcm: bytes) -> Samples:
    """Return PCM16 little-endian as float32 in -1…1; half a sample at the end is dropped."""
    return (np.frombuffer(pcm, "<i2", count=len(pcm) // 2) / 32768).astype(np.float32)


def wav(pcm: bytes, sample_rate_hz: int) -> bytes:
    """Return mono PCM16 as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate_hz)
        writer.writeframes(pcm)
    return file.getvalue()


def wav_head(sample_rate_hz: int) -> bytes:
    """Return the head of a WAV file of mono PCM16 whose length nobody knows yet: it names the longest there can be."""
    longest = 0xFFFFFFFF
    about = struct.pack("<IHHIIHH", 16, 1, 1, sample_rate_hz, 2 * sample_rate_hz, 2, 16)
    return struct.pack("<4sI8s", b"RIFF", longest, b"WAVEfmt ") + about + struct.pack("<4sI", b"data", longest)
