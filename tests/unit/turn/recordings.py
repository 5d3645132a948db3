"""Recordings of any kind, made as they are needed."""

import io
import struct

import av
import numpy as np
from numpy.typing import NDArray


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
