"""Recordings opened without harm: one demuxer, some codecs, nothing else of the file; and their frames as numbers."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from schemas.errors.sound import UndecodableAudio

Samples = NDArray[np.float32]

SOURCE_RATES_HZ = (2_000, 768_000)
CHANNELS = (1, 64)
MAX_MP4_PACKETS = 1_000_000
"""Packets an MP4 may announce. Its index is built when it is opened, from numbers that cost nothing to write."""

CODECS = (
    *("flac", "mp3", "mp3float", "aac", "aac_fixed", "alac", "opus", "libopus", "vorbis", "libvorbis"),
    *("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be"),
    *("pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav"),
)

_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8"}


@contextmanager
def opened(data: bytes) -> Iterator[tuple[InputContainer, av.AudioStream]]:
    """Yield a recording and its first audio track, whose codec is one of ours. Raises UndecodableAudio."""
    with av.open(
        io.BytesIO(data),
        mode="r",
        format=_demuxer(data),
        # The codec list also binds the probing: no picture or video decoder is ever opened.
        options={"codec_whitelist": ",".join(CODECS), "enable_drefs": "0"},
        io_open=_refuse_to_open,
        metadata_errors="ignore",
    ) as container:
        stream = container.streams.audio[0]
        # PyAV gives no context for a codec FFmpeg does not know, whatever its types say.
        codec: av.CodecContext | None = stream.codec_context
        if codec is None or codec.name not in CODECS:
            raise UndecodableAudio
        yield container, stream


def packets(container: InputContainer, stream: av.AudioStream, max_bytes: int) -> Iterator["av.Packet[Any]"]:
    """Yield the packets of `stream`. Raises UndecodableAudio where all packets together exceed `max_bytes`.

    An index may name the same bytes a million times; an honest file's packets are smaller than the file.
    """
    read = 0
    for packet in container.demux():
        read += packet.size
        if read > max_bytes:
            raise UndecodableAudio("The recording's index is damaged.")
        if packet.stream is stream:
            yield packet


def check(frame: av.AudioFrame) -> None:
    """Raise UndecodableAudio for a rate or a number of channels that no recording has."""
    in_range = SOURCE_RATES_HZ[0] <= frame.sample_rate <= SOURCE_RATES_HZ[1]
    if not in_range or not CHANNELS[0] <= frame.layout.nb_channels <= CHANNELS[1]:
        raise UndecodableAudio


def _demuxer(data: bytes) -> str:
    """Return the one demuxer that may read `data`, chosen by its first bytes.

    FFmpeg is never left to guess: it would also find playlists and scripts, which open other files.
    Raises UndecodableAudio.
    """
    at = _tag_bytes(data)
    head = data[at : at + 16]
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[4:8] in {b"ftyp", b"styp", b"moov"}:
        _check_index(data)
        return "mov"
    if at or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        # ADTS frames have layer bits 00, MPEG audio has not.
        return "aac" if head[:1] == b"\xff" and head[1] & 0x06 == 0 else "mp3"
    raise UndecodableAudio


def _tag_bytes(data: bytes) -> int:
    """Return the length of the ID3v2 tag that `data` begins with: MP3, AAC and even FLAC files have one."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    first, second, third, fourth = (byte & 0x7F for byte in data[6:10])
    return 10 + (first << 21 | second << 14 | third << 7 | fourth)


def _check_index(data: bytes) -> None:
    """Raise UndecodableAudio if an MP4 announces more packets than any recording has.

    FFmpeg reserves memory for each: ten kilobytes could take gigabytes.
    """
    packets = 0
    for box, skipped in ((b"stsz", 8), (b"trun", 4)):
        at = data.find(box)
        while at >= 0:
            # Four bytes that only look like a box are not preceded by a length that fits.
            length = int.from_bytes(data[at - 4 : at])
            counted = data[at + 4 + skipped : at + 8 + skipped]
            if (length <= 1 or 16 <= length <= len(data) - at + 4) and len(counted) == 4:
                packets += struct.unpack(">I", counted)[0]
            at = data.find(box, at + 4)
    if packets > MAX_MP4_PACKETS:
        raise UndecodableAudio("The recording's index is damaged.")


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> object:
    raise UndecodableAudio("The recording refers to another file.")


def values(frame: av.AudioFrame) -> NDArray[Any]:
    """Return a frame's values, shape (channels, n) if it is planar, else (1, n x channels).

    PyAV's own `to_ndarray` reads a ninth plane where there are eight, and crashes.
    """
    channels = frame.layout.nb_channels
    kind = _TYPES[frame.format.name.removesuffix("p")]
    planes: tuple[Any, ...] = frame.planes
    if not frame.format.is_planar:
        return np.array(np.frombuffer(planes[0], kind, frame.samples * channels).reshape(1, -1))
    return np.stack([np.frombuffer(plane, kind, frame.samples) for plane in planes[:channels]])


def by_channel(found: NDArray[Any], channels: int, planar: bool) -> NDArray[Any]:
    """Return what `values` returned with shape (channels, n)."""
    return found if planar else found.reshape(-1, channels).T


def mono(channels: NDArray[Any]) -> Samples:
    """Return channels, shape (channels, n), averaged, -1…1; values that are no numbers are silence."""
    if channels.dtype.kind == "f":
        mean = np.clip(np.nan_to_num(channels, nan=0.0), -1, 1).mean(axis=0, dtype=np.float64)
        return np.asarray(mean, np.float32)
    middle = 128 if channels.dtype == np.uint8 else 0
    scale = middle or -float(np.iinfo(channels.dtype).min)
    return np.asarray((channels.mean(axis=0, dtype=np.float64) - middle) / scale, np.float32)
