"""The packets of a WebM stream (RFC 8794, Matroska) that comes in pieces cut anywhere, as a browser records it."""

from collections.abc import Iterator

from schemas.errors.sound import UndecodableAudio

SEGMENT, CLUSTER, GROUP = 0x18538067, 0x1F43B675, 0xA0
"""What holds other elements and may be of unknown length: they are walked through, never kept."""

TRACKS, ENTRY, NUMBER, CODEC, PRIVATE = 0x1654AE6B, 0xAE, 0xD7, 0x86, 0x63A2
BLOCK, SIMPLE_BLOCK = 0xA1, 0xA3

MAX_BLOCK = 65_536
MAX_SKIPPED = 4_194_304
"""Longest element that is no sound: a picture of a video that is recorded along."""

LACING = 0x06


class WebmPackets:
    """Cuts the first Opus track of a WebM stream into packets. Keeps at most one element that is not whole: 64 kB."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skip = 0
        self._track: int | None = None

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the packets that are whole now, each track's description (`OpusHead`) among them.

        Raises UndecodableAudio for damage, for a recording without an Opus track, and for laced blocks.
        """
        self._rest += piece
        packets: list[bytes] = []
        at = min(self._skip, len(self._rest))
        self._skip -= at
        while not self._skip and (found := header(self._rest, at)) is not None:
            name, length, begin = found
            if name in (SEGMENT, CLUSTER, GROUP):
                at = begin
                continue
            if length is None or length > MAX_SKIPPED:
                raise UndecodableAudio("The WebM stream is damaged.")
            if name not in (TRACKS, BLOCK, SIMPLE_BLOCK) or length > MAX_BLOCK:
                at = min(begin + length, len(self._rest))
                self._skip = begin + length - at
                continue
            if begin + length > len(self._rest):
                break
            at = begin + length
            packets += self._head(self._rest[begin:at]) if name == TRACKS else self._sound(self._rest[begin:at])
        del self._rest[:at]
        return packets

    def _head(self, tracks: bytearray) -> list[bytes]:
        """Choose the first Opus track and return its description."""
        for name, entry in elements(tracks):
            about = dict(elements(entry)) if name == ENTRY else {}
            if about.get(CODEC, b"").rstrip(b"\0") == b"A_OPUS" and NUMBER in about:
                self._track = int.from_bytes(about[NUMBER])
                return [bytes(about.get(PRIVATE, b""))]
        raise UndecodableAudio("The WebM stream holds no Opus track.")

    def _sound(self, block: bytearray) -> list[bytes]:
        """Return the packet in a block of the chosen track: its number, a time of two bytes and flags are before it."""
        number = _number(block, 0, marked=False)
        if number is None or len(block) < number[1] + 3:
            raise UndecodableAudio("The WebM stream is damaged.")
        track, at = number
        if track != self._track:
            return []
        if block[at + 2] & LACING:
            raise UndecodableAudio("Send WebM with one packet in a block, as browsers do.")
        return [bytes(block[at + 3 :])]


def elements(data: bytearray) -> Iterator[tuple[int, bytearray]]:
    """Yield name and content of the elements in `data`. Raises UndecodableAudio where one reaches beyond it."""
    at = 0
    while at < len(data):
        name, length, begin = header(data, at) or (0, None, 0)
        if length is None or begin + length > len(data):
            raise UndecodableAudio("The WebM stream is damaged.")
        at = begin + length
        yield name, data[begin:at]


def header(data: bytearray, at: int) -> tuple[int, int | None, int] | None:
    """Return the name of the element at `at`, its length (None: unknown) and where it begins; None: not whole yet."""
    name = _number(data, at, marked=True, longest=4)
    length = _number(data, name[1], marked=False) if name else None
    if name is None or length is None:
        return None
    unknown = length[0] == (1 << 7 * (length[1] - name[1])) - 1
    return name[0], None if unknown else length[0], length[1]


def _number(data: bytearray, at: int, *, marked: bool, longest: int = 8) -> tuple[int, int] | None:
    """Return an EBML number, with its length's mark if `marked`, and the place after it; None: not whole yet."""
    if at >= len(data):
        return None
    length = 9 - data[at].bit_length()
    if length > longest:
        raise UndecodableAudio("The WebM stream is damaged.")
    if at + length > len(data):
        return None
    value = int.from_bytes(data[at : at + length])
    return value if marked else value & (1 << 7 * length) - 1, at + length
