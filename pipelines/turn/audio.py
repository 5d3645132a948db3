"""Sound in and out: any recording, or a client's PCM frames, to 16 kHz mono; samples to PCM16 and WAV."""

import io
import struct
import wave
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import soxr
from av.container import InputContainer
from numpy.typing import NDArray

from pipelines.ports import STT_RATE_HZ, Audio
from schemas.errors import AudioTooLong, UndecodableAudio

Samples = NDArray[np.float32]

NOTHING: Samples = np.zeros(0, np.float32)

SOURCE_RATES_HZ = (2_000, 768_000)
CHANNELS = (1, 64)
MAX_VALUES_PER_S = 768_000
"""Values, over all channels, that a second of the longest recording may have on average: it bounds the work."""

MAX_MP4_PACKETS = 1_000_000
"""Packets an MP4 may announce. Its index is built when it is opened, from numbers that cost nothing to write."""

STREAM_RATES_HZ = (8_000, 48_000)
CODECS = (
    *("flac", "mp3", "mp3float", "aac", "aac_fixed", "alac", "opus", "libopus", "vorbis", "libvorbis"),
    *("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be"),
    *("pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav"),
)


def decode(data: bytes, max_s: float) -> Audio:
    """Return a WAV, FLAC, MP3, AAC, M4A/MP4, OGG or WEBM/Matroska file's first audio track, 16 kHz mono.

    Channels are averaged; values that are no numbers are silence. Pictures and video are not decoded.
    Where a file is cut short, what is there is returned. Raises AudioTooLong as soon as more than
    `max_s` seconds are decoded, however small the file; UndecodableAudio for other formats or no sound.
    """
    joined = bytearray()  # It grows in place: the samples of an hour are not held twice.
    resampler: soxr.ResampleStream | None = None
    rate_hz = values = 0
    decoded_s = 0.0
    for frame in _frames(data):
        decoded_s += frame.samples / frame.sample_rate
        values += frame.samples * frame.layout.nb_channels
        if decoded_s > max_s or values > max_s * MAX_VALUES_PER_S:
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
            for packet in _packets(container, stream, 2 * len(data)):
                try:
                    frames: list[Any] = packet.decode()
                except av.FFmpegError:
                    bad += 1
                    continue
                good += len(frames)
                for frame in frames:
                    _check(frame)
                    yield frame
    except (av.FFmpegError, ValueError, IndexError) as error:
        if not good:
            raise UndecodableAudio from error
    if bad > good:
        raise UndecodableAudio("The recording is damaged.")


def _packets(container: InputContainer, stream: av.AudioStream, max_bytes: int) -> Iterator["av.Packet[Any]"]:
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


def _check(frame: av.AudioFrame) -> None:
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


def _mono(frame: av.AudioFrame) -> Samples:
    """Return a frame's channels averaged, -1…1."""
    raw: NDArray[Any] = frame.to_ndarray()
    by_channel = raw if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels).T
    if raw.dtype.kind == "f":
        mean = np.clip(np.nan_to_num(by_channel, nan=0.0), -1, 1).mean(axis=0, dtype=np.float64)
        return np.asarray(mean, np.float32)
    middle = 128 if raw.dtype == np.uint8 else 0
    scale = middle or -float(np.iinfo(raw.dtype).min)
    mean = (by_channel.mean(axis=0, dtype=np.float64) - middle) / scale
    return np.asarray(mean, np.float32)


class Pcm16Stream:
    """Turns a client's frames of PCM16 little-endian, mono or interleaved stereo, into 16 kHz mono.

    Frames may be cut at any byte. The result does not depend on where: joined, it is the same
    samples. Resampling holds back at most 70 ms (8 kHz), 8 ms at 24 and 48 kHz, none at 16 kHz.
    """

    def __init__(self, sample_rate_hz: int, channels: int = 1) -> None:
        """Raises UndecodableAudio unless the rate is 8,000…48,000 Hz and there are 1 or 2 channels."""
        if not STREAM_RATES_HZ[0] <= sample_rate_hz <= STREAM_RATES_HZ[1] or channels not in {1, 2}:
            raise UndecodableAudio("Send PCM16 at 8,000 to 48,000 Hz with one or two channels.")
        self._channels = channels
        self._rest = b""
        self._resampler: soxr.ResampleStream | None = None
        if sample_rate_hz != STT_RATE_HZ:
            self._resampler = soxr.ResampleStream(sample_rate_hz, STT_RATE_HZ, 1, dtype="float32", quality="MQ")

    def feed(self, frame: bytes) -> Samples:
        """Return the samples that are ready, shape (n,), possibly none."""
        data = self._rest + frame
        whole = len(data) - len(data) % (2 * self._channels)
        self._rest = data[whole:]
        pcm = np.frombuffer(data, "<i2", count=whole // 2).reshape(-1, self._channels)
        return self._resampled(pcm.mean(axis=1, dtype=np.float32) / np.float32(32768))

    def flush(self) -> Samples:
        """Return what was held back. Half a sample at the end is dropped. What is fed after begins anew."""
        self._rest = b""
        held = self._resampled(NOTHING, last=True)
        if self._resampler is not None:
            self._resampler.clear()
        return held

    def _resampled(self, samples: Samples, last: bool = False) -> Samples:
        if self._resampler is None:
            return samples
        ready: Samples = self._resampler.resample_chunk(samples, last=last)
        return ready


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
