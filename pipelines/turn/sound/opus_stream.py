"""Opus as a browser's recorder sends it: WebM or Ogg in pieces cut at any byte."""

import av
import numpy as np
from numpy.typing import NDArray

from pipelines.containers import by_channel, mono, values
from pipelines.turn.sound.ogg import OggPackets
from pipelines.turn.sound.resample import NOTHING, Resampler
from pipelines.turn.sound.webm import WebmPackets
from schemas.errors.sound import AudioTooLong, UndecodableAudio

Samples = NDArray[np.float32]

OPUS_HZ = 48_000
CHANNELS = (1, 2)

MAX_PIECE_S = 120.0
"""Sound that one piece may hold: two bytes may stand for 0.12 s of silence."""

MAX_BAD = 10
"""Packets in a row that are no Opus before the stream counts as broken; fewer are silence."""

LOST_S = 0.02

AT_ONCE = 10
"""Packets that are resampled together."""


class OpusStream:
    """Decodes one recorder's stream to 16 kHz mono. Nothing waits: what is whole is decoded, the rest is kept.

    Keeps at most 330 kB. After UndecodableAudio nothing more is decoded.
    """

    bytes_per_s: float | None = None
    """Not known beforehand."""

    def __init__(self) -> None:
        self._start = b""
        self._packets: OggPackets | WebmPackets | None = None
        self._resampler = Resampler(OPUS_HZ)
        self._decoder: av.AudioCodecContext | None = None
        self._skip = 0
        self._bad = 0
        self._broken: UndecodableAudio | AudioTooLong | None = None

    @property
    def has_begun(self) -> bool:
        """Return whether the stream's description has come."""
        return self._decoder is not None

    def feed(self, piece: bytes) -> Samples:
        """Return the samples that are ready, shape (n,), -1…1, possibly none.

        Raises UndecodableAudio where the stream is no WebM or Ogg with Opus, or broken; AudioTooLong where a
        piece holds more than `MAX_PIECE_S`.
        """
        if self._broken is not None:
            raise self._broken
        try:
            return self._decoded(self._whole(piece))
        except (UndecodableAudio, AudioTooLong) as error:
            self._broken, self._packets, self._decoder = error, None, None
            raise

    def flush(self) -> Samples:
        """Return what was held back; a packet that is not whole stays for its rest."""
        return self._resampler.flush()

    def _whole(self, piece: bytes) -> list[bytes]:
        if self._packets is None:
            self._start += piece
            if len(self._start) < 4:
                return []
            piece, self._start = self._start, b""
            match piece[:4]:
                case b"OggS":
                    self._packets = OggPackets()
                case b"\x1a\x45\xdf\xa3":
                    self._packets = WebmPackets()
                case _:
                    raise UndecodableAudio("Send Opus in WebM or Ogg, from the beginning of the recording.")
        return self._packets.feed(piece)

    def _decoded(self, packets: list[bytes]) -> Samples:
        found: list[Samples] = []
        waiting: list[Samples] = []
        count = 0
        for packet in packets:
            if packet.startswith(b"OpusHead") or (self._decoder is None and not packet):
                self._configure(packet)
            elif not packet.startswith(b"OpusTags") and packet:
                sound = self._decode(packet)
                count += len(sound)
                if count > MAX_PIECE_S * OPUS_HZ:
                    raise AudioTooLong(f"One message holds more than {MAX_PIECE_S:.0f} seconds.", max_s=MAX_PIECE_S)
                waiting.append(sound)
                if len(waiting) == AT_ONCE:
                    found.append(self._resampler.feed(np.concatenate(waiting)))
                    waiting.clear()
        if waiting:
            found.append(self._resampler.feed(np.concatenate(waiting)))
        return np.clip(np.concatenate(found), -1, 1) if found else NOTHING

    def _configure(self, head: bytes) -> None:
        """Take the description of a stream (RFC 7845, 5.1): channels, and samples to skip at its begin."""
        if len(head) < 19 or head[9] not in CHANNELS or head[18] != 0:
            raise UndecodableAudio("Send Opus with one or two channels.")
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.extradata = head
        self._decoder.layout = "mono" if head[9] == 1 else "stereo"
        self._decoder.sample_rate = OPUS_HZ
        self._skip, self._bad = int.from_bytes(head[10:12], "little"), 0

    def _decode(self, packet: bytes) -> Samples:
        """Return a packet's sound at 48 kHz. Raises UndecodableAudio after too many bad ones."""
        if self._decoder is None:
            raise UndecodableAudio("The stream begins in its middle.")
        try:
            frames = self._decoder.decode(av.Packet(packet))
            sound = [mono(by_channel(values(one), one.layout.nb_channels, one.format.is_planar)) for one in frames]
            self._bad = 0
        except (av.FFmpegError, ValueError) as error:
            self._bad += 1
            if self._bad > MAX_BAD:
                raise UndecodableAudio("The Opus stream is damaged.") from error
            return np.zeros(int(LOST_S * OPUS_HZ), np.float32)
        joined = np.concatenate(sound) if sound else NOTHING
        skipped = min(self._skip, len(joined))
        self._skip -= skipped
        return joined[skipped:]
