"""How pictures and recordings begin. Each function tells it from a file's first and last bytes."""

from collections.abc import Callable

Matches = Callable[[bytes, bytes], bool]

_BITMAP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_STILL_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"})


def begins(*signs: bytes) -> Matches:
    """Return what knows a file by its first bytes."""
    return lambda head, tail: head.startswith(signs)


def is_webp(head: bytes, tail: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def is_bmp(head: bytes, tail: bytes) -> bool:
    # Two letters alone begin many a text: the length of the header after them must be one there is.
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BITMAP_HEADERS


def is_wav(head: bytes, tail: bytes) -> bool:
    return head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE"


def is_mp3(head: bytes, tail: bytes) -> bool:
    # Layer I is left out: its first bytes are the mark of UTF-16, too.
    return head.startswith(b"ID3") or (_is_synced(head) and head[1] & 0x06 in {0x02, 0x04} and head[2] & 0xF0 < 0xF0)


def is_aac(head: bytes, tail: bytes) -> bool:
    return _is_synced(head) and head[1] & 0xF6 == 0xF0


def is_mp4(head: bytes, tail: bytes) -> bool:
    # Pictures of phones (HEIC, AVIF) come in the same container.
    return head[4:8] in {b"ftyp", b"styp", b"moov"} and head[8:12] not in _STILL_BRANDS


def _is_synced(head: bytes) -> bool:
    return len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
