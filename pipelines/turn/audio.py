"""Sound in and out: any recording, or a client's PCM frames, to 16 kHz mono; samples to PCM16 and WAV."""

import io
import wave
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from pipelines.ports import STT_RATE_HZ, Audio
from schemas.errors import AudioTooLong, UndecodableAudio

Samples = NDArray[np.float32]

SOURCE_RATES_HZ = (2_000, 768_000)
CHANNELS = (1, 64)
STREAM_RATES_HZ = (8_000, 48_000)
CODECS = (
    *("flac", "mp3", "mp3float", "aac", "aac_fixed", "alac", "opus", "libopus", "vorbis", "libvorbis"),
    *("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be"),
    *("pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav"),
)


def decode(data: bytes, max_s: float) -> Audio:
    """Return a WAV, FLAC, MP3, AAC, M4A/MP4, OGG or WEBM/Matroska file's first audio track, 16 kHz mono.

    Channels are averaged. Pictures and video are not decoded. Where a file is cut short, what is
    there is returned. Raises AudioTooLong as soon as more than `max_s` seconds are decoded, however
    small the file; UndecodableAudio for other formats, no samples, or samples that are no numbers.
    """
    resampled: list[Samples] = []
    resampler: soxr.ResampleStream | None = None
    rate_hz = 0
    decoded_s = 0.0
    for samples, frame_rate_hz in _frames(data):
        decoded_s += len(samples) / frame_rate_hz
        if decoded_s > max_s:
            raise AudioTooLong(f"The recording is longer than {max_s:.0f} seconds.", max_s=max_s)
        # The rate may change where recordings were joined, in OGG above all.
        if resampler is None or frame_rate_hz != rate_hz:
            if resampler is not None:
                resampled.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
            rate_hz = frame_rate_hz
            resampler = soxr.ResampleStream(rate_hz, STT_RATE_HZ, 1, dtype="float32", quality="HQ")
        resampled.append(resampler.resample_chunk(samples))
    if resampler is not None:
        resampled.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    joined = np.concatenate(resampled) if resampled else np.zeros(0, np.float32)
    if len(joined) == 0:
        raise UndecodableAudio("The recording holds no sound.")
    return Audio(np.clip(joined, -1, 1), STT_RATE_HZ)


def _frames(data: bytes) -> Iterator[tuple[Samples, int]]:
    """Yield mono samples with their rate. Raises UndecodableAudio."""
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
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    bad += 1
                    continue
                good += len(frames)
                for frame in frames:
                    yield _mono(frame), frame.sample_rate
    except (av.FFmpegError, ValueError, IndexError) as error:
        if not good:
            raise UndecodableAudio from error
    if bad > good:
        raise UndecodableAudio("The recording is damaged.")


def _demuxer(data: bytes) -> str:
    """Return the one demuxer that may read `data`, chosen by its first bytes.

    FFmpeg is never left to guess: it would also find playlists and scripts, which open other files.
    Raises UndecodableAudio.
    """
    head = data[:16]
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[4:8] in {b"ftyp", b"styp", b"moov"}:
        return "mov"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        # ADTS frames have layer bits 00, MPEG audio has not.
        is_adts = head[:3] != b"ID3" and head[1] & 0x06 == 0
        return "aac" if is_adts else "mp3"
    raise UndecodableAudio


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> object:
    raise UndecodableAudio("The recording refers to another file.")


def _mono(frame: av.AudioFrame) -> Samples:
    """Return a frame's channels averaged to float32 in -1…1. Raises UndecodableAudio."""
    channels = frame.layout.nb_channels
    in_range = SOURCE_RATES_HZ[0] <= frame.sample_rate <= SOURCE_RATES_HZ[1]
    if not in_range or not CHANNELS[0] <= channels <= CHANNELS[1]:
        raise UndecodableAudio
    raw: NDArray[Any] = frame.to_ndarray()
    by_channel = raw if frame.format.is_planar else raw.reshape(-1, channels).T
    if raw.dtype.kind == "f":
        mono = by_channel.mean(axis=0, dtype=np.float64)
    else:
        middle = 128 if raw.dtype == np.uint8 else 0
        mono = (by_channel.mean(axis=0, dtype=np.float64) - middle) / (middle or -float(np.iinfo(raw.dtype).min))
    if not np.isfinite(mono).all():
        raise UndecodableAudio("The recording holds values that are not numbers.")
    return np.asarray(np.clip(mono, -1, 1), dtype=np.float32)


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

    def finish(self) -> Samples:
        """Return what was held back. Half a sample at the end is dropped. Nothing may be fed after."""
        self._rest = b""
        return self._resampled(np.zeros(0, np.float32), last=True)

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
