"""Sound of a provider as it comes in: a container is decoded piece by piece to mono PCM16 at one rate."""

import io
from collections.abc import Iterator
from typing import Any

from schemas.errors.providers import ProviderUnavailable

PIECE_BYTES = 4096
"""What is read at once, and how much a container's beginning is looked at for: 85 ms of PCM16 at 24 kHz."""

_CONTAINERS = {b"RIFF": "wav", b"OggS": "ogg", b"fLaC": "flac", b"ID3": "mp3"}
_LOOKED_AT = 16
"""First bytes by which text and containers are told from samples."""


def pcm16(label: str, encoding: str, content_type: str, pieces: Iterator[bytes], rate_hz: int) -> Iterator[bytes]:
    """Yield what `pieces`, asked for in an `encoding` (pcm, wav, opus, mp3, flac), sound like: mono PCM16 at `rate_hz`.

    Plain `pcm` has that rate already; a container is read as what it is, though another was asked for, as it would be
    heard as noise. Raises ProviderUnavailable where it is no sound.
    """
    told = content_type.split(";", maxsplit=1)[0].strip().lower()
    first, rest = _first(pieces)
    if not first or told.startswith(("text/", "application/json")) or _is_text(first):
        raise ProviderUnavailable(f"{label} answered something that is no sound.")
    container = _container(first, "audio/mpeg" if encoding == "mp3" else told)
    if not container and encoding != "pcm":
        raise ProviderUnavailable(f"{label} answered another sound than it was asked for.")
    if not container:
        yield from rest
        return
    # Late: it loads the codecs, which only what comes in a container needs.
    from pipelines.providers.waves import Waves

    yield from (Waves(label, rate_hz).read(rest) if container == "wav" else _decoded(label, container, rest, rate_hz))


def _is_text(first: bytes) -> bool:
    return first.startswith((b"{", b"<", b"[")) and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in first)


def _container(first: bytes, told: str) -> str:
    """Return what the sound comes in, whatever was asked for; empty where it is plain samples."""
    found = next((name for magic, name in _CONTAINERS.items() if first.startswith(magic)), "")
    # MPEG audio without a tag begins with eleven ones, as a loud sample may, too.
    is_mpeg = told in ("audio/mpeg", "audio/mp3") and first[:1] == b"\xff" and first[1:2] >= b"\xe0"
    return found or ("mp3" if is_mpeg else "")


def _first(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes, as many as are looked at where there are so many, and all of them."""
    begun = b""
    for piece in pieces:
        begun += piece
        if len(begun) >= _LOOKED_AT:
            break

    def whole() -> Iterator[bytes]:
        yield begun
        yield from pieces

    return begun, whole()


def _decoded(label: str, container: str, pieces: Iterator[bytes], rate_hz: int) -> Iterator[bytes]:
    # Late: it loads the codecs, which only a process that speaks needs.
    import av

    def samples(frames: Any) -> bytes:
        return b"".join(frame.to_ndarray().tobytes() for frame in frames)

    try:
        source = _Source(pieces)
        # Little is looked at before the first sound is given out; the codecs are known by their container.
        options = {"probesize": str(PIECE_BYTES), "analyzeduration": "0"}
        with av.open(source, "r", format=container, buffer_size=PIECE_BYTES, container_options=options) as opened:
            resampler = av.AudioResampler("s16", "mono", rate_hz)
            for frame in opened.decode(audio=0):
                yield samples(resampler.resample(frame))
            yield samples(resampler.resample(None))
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise ProviderUnavailable(f"{label} answered sound that cannot be decoded.") from error


class _Source(io.RawIOBase):
    """Pieces as a file that can only be read on."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        """Return what is there, at most `size` bytes; nothing at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        size = size if size >= 0 else len(self._rest)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data
