"""The packets of an Ogg stream (RFC 3533, RFC 7845) that comes in pieces cut anywhere."""

from schemas.errors.sound import UndecodableAudio

HEADER = 27
MAX_PACKET = 61_440
"""An Opus packet has at most 48 frames of 1,275 bytes (RFC 6716), with their lengths."""

MAX_COMMENT = 262_144
"""Names and pictures before the sound."""

CONTINUED, FIRST = 1, 2


class OggPackets:
    """Cuts the first Opus stream of an Ogg stream into packets. Keeps at most a page and a packet that is not whole."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._serial: bytes | None = None
        self._packet = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the packets that are whole now, the one that describes the stream and its comment among them.

        Raises UndecodableAudio where a page does not follow the last one, or a packet is too long.
        """
        self._rest += piece
        packets: list[bytes] = []
        at = 0
        while (page := self._page(at)) is not None:
            head, lengths, at = page
            packets += self._packets(self._rest[at - sum(lengths) : at], head, lengths)
        del self._rest[:at]
        return packets

    def _page(self, at: int) -> tuple[bytes, bytes, int] | None:
        """Return the header, the segments' lengths and the end of the page at `at`, None where it is not whole."""
        head = bytes(self._rest[at : at + HEADER])
        if head[:5] != b"OggS\0"[: len(head)]:
            raise UndecodableAudio("The Ogg stream is damaged.")
        if len(head) < HEADER:
            return None
        lengths = bytes(self._rest[at + HEADER : at + HEADER + head[26]])
        end = at + HEADER + head[26] + sum(lengths)
        return (head, lengths, end) if len(lengths) == head[26] and end <= len(self._rest) else None

    def _packets(self, data: bytearray, head: bytes, lengths: bytes) -> list[bytes]:
        flags, serial = head[5], head[14:18]
        # A recorder that was started again begins a new stream in the same connection.
        if flags & FIRST and data[:8] == b"OpusHead":
            self._serial = serial
        if serial != self._serial:
            return []
        if not flags & CONTINUED:
            self._packet.clear()
        packets, at = [], 0
        for length in lengths:
            self._packet += data[at : at + length]
            at += length
            if len(self._packet) > (MAX_COMMENT if self._packet[:8] == b"OpusTags" else MAX_PACKET):
                raise UndecodableAudio("The Ogg stream has a packet that is too long.")
            if length < 255:
                packets.append(bytes(self._packet))
                self._packet.clear()
        return packets
