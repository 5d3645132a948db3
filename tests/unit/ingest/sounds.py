"""Recordings made by the tests: any container, any sound."""

import io
from collections.abc import Iterable
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

CONTAINERS = {
    "wav": ("wav", "pcm_s16le", 16_000),
    "flac": ("flac", "flac", 44_100),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "m4a": ("ipod", "aac", 44_100),
    "ogg": ("ogg", "libopus", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "aac": ("adts", "aac", 22_050),
}
QUICKLY = {"libmp3lame": {"compression_level": "9"}, "libopus": {"compression_level": "0"}}


def encoded(samples: NDArray[np.float32], kind: str, rate_hz: int = 16_000, layout: str = "mono") -> bytes:
    """Return mono `samples` at `rate_hz` as a file of this kind, at the kind's usual rate, alike in all channels."""
    out_hz = CONTAINERS[kind][2]
    if out_hz != rate_hz:
        times = np.arange(int(len(samples) * out_hz / rate_hz)) * rate_hz / out_hz
        samples = np.interp(times, np.arange(len(samples)), samples).astype(np.float32)
    channels = av.AudioLayout(layout).nb_channels
    pcm = np.repeat((np.clip(samples, -1, 1) * 32767).astype("<i2"), channels)
    size = out_hz * channels
    return packed((pcm[start : start + size] for start in range(0, len(pcm), size)), kind, layout)


def packed(seconds: Iterable[NDArray[Any]], kind: str, layout: str = "mono") -> bytes:
    """Return a file of this kind of the seconds one after the other: 16 bit values at the kind's usual rate."""
    container, codec, rate_hz = CONTAINERS[kind]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        # The quickest way to encode: what is tried here is the decoding.
        stream = file.add_stream(codec, rate=rate_hz, layout=layout, options=QUICKLY.get(codec, {}))
        for number, values in enumerate(seconds):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values).reshape(1, -1), format="s16", layout=layout)
            frame.sample_rate, frame.pts = rate_hz, number * rate_hz
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def tones(*spans: tuple[float, float], length_s: float, rate_hz: int = 16_000) -> NDArray[np.float32]:
    """Return silence of this length with a voice-like buzz in the given (start, end) seconds."""
    seconds = np.arange(int(length_s * rate_hz)) / rate_hz
    buzz = sum(np.sin(2 * np.pi * 150 * k * seconds) / k for k in range(1, 8)) * 0.2
    on = np.zeros(len(seconds))
    for start, end in spans:
        on[(seconds >= start) & (seconds < end)] = 1
    return (buzz * on).astype(np.float32)
