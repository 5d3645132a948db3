"""Sound as servers send it: a tone in the containers that OpenAI's format knows."""

import io
import struct
import wave

import av
import numpy as np

SECONDS = 1.5


def tone(rate_hz: int, seconds: float = SECONDS) -> np.ndarray:
    """Return a tone of 220 Hz as 16 bit samples."""
    return (np.sin(2 * np.pi * 220 * np.arange(int(rate_hz * seconds)) / rate_hz) * 8000).astype("<i2")


def wav(rate_hz: int, channels: int = 1, size: int | None = None) -> bytes:
    """Return a tone as WAV; its head names `size` bytes of sound where one is given, as a server that streams does."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(tone(rate_hz), channels).tobytes())
    data = bytearray(buffer.getvalue())
    if size is not None:
        data[4:8] = data[40:44] = struct.pack("<I", size)
    return bytes(data)


def floats(rate_hz: int) -> bytes:
    """Return a tone as WAV of 32 bit floats, behind a chunk that is not known."""
    samples = (tone(rate_hz) / 32768).astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, 1, rate_hz, rate_hz * 4, 4, 32)
    chunks = b"LIST" + struct.pack("<I", 5) + b"INFOx\0" + b"fmt " + struct.pack("<I", 16) + form
    return b"RIFF\xff\xff\xff\xffWAVE" + chunks + b"data\xff\xff\xff\xff" + samples


def encoded(container: str, codec: str, rate_hz: int = 48_000) -> bytes:
    """Return a tone in a container of a codec."""
    buffer = io.BytesIO()
    frame = av.AudioFrame.from_ndarray(tone(rate_hz)[None, :], format="s16", layout="mono")
    frame.sample_rate = rate_hz
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz)
        stream.layout = "mono"
        resampler = av.AudioResampler(stream.codec_context.format.name, "mono", rate_hz)
        fifo = av.AudioFifo()
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            fifo.write(piece)
        size = stream.codec_context.frame_size or 1024
        pieces = list(iter(lambda: fifo.read(size), None))
        rest = fifo.read(0, partial=True)
        for piece in (*pieces, *([rest] if rest is not None else []), None):
            if piece is not None:
                piece.pts = None
            for packet in stream.encode(piece):
                file.mux(packet)
    return buffer.getvalue()
