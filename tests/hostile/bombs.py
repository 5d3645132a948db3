"""Files that unpack without end, or lead back to themselves."""

import io
import struct
import zipfile
import zlib

from tests.unit.ingest.offices import zipped
from tests.unit.ingest.pdfs import document, file, stream, text
from tests.unit.ingest.test_hostile_offices import LAUGHS

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
WORDS = text(60, 700, "A few plain words.")
EXTERNAL = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y SYSTEM "{0}/dtd">]>'


def word(said: str, more: str = "") -> str:
    return f"<w:document {W}><w:body><w:p><w:r><w:t>{said}</w:t></w:r></w:p>{more}</w:body></w:document>"


def docx(said: str, more: str = "", parts: dict[str, str | bytes] | None = None) -> bytes:
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": word(said, more), **(parts or {})})


def zeros(mebibytes: int) -> bytes:
    """Return so many MiB of zeros as raw deflate, a thousandth of their size: one block, over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * mebibytes + b"\x03\x00"


def entry(name: str, packed: bytes, size: int, at: int = 0, crc: int = 0) -> tuple[bytes, bytes]:
    """Return a deflated entry of a zip that says it has this size, and its line in the directory."""
    raw = name.encode()
    common = struct.pack("<5HIII2H", 20, 0, 8, 0, 33, crc, len(packed), size, len(raw), 0)
    local = b"PK\x03\x04" + common + raw + packed
    return local, b"PK\x01\x02\x14\x00" + common + struct.pack("<3HII", 0, 0, 0, 0, at) + raw


def listed(entries: bytes, directory: bytes, count: int) -> bytes:
    """Return a zip of these entries and this directory."""
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), len(entries), 0)
    return entries + directory + end


def bomb(mebibytes: int, says_bytes: int, name: str = "word/document.xml") -> bytes:
    """Return an archive of one part of zeros, and of what it says to be its size."""
    local, line = entry(name, zeros(mebibytes), says_bytes)
    return listed(local, line, 1)


def many_entries(count: int) -> bytes:
    """Return a DOCX of words and so many empty parts."""
    first, line = entry("word/document.xml", zlib.compress(word("hello").encode())[2:-4], len(word("hello")))
    lines, locals_, at = [line], [first], len(first)
    for i in range(count):
        local, line = entry(f"word/{i}.xml", b"\x03\x00", 0, at)
        locals_.append(local)
        lines.append(line)
        at += len(local)
    return listed(b"".join(locals_), b"".join(lines), count + 1)


def overlapping() -> bytes:
    """Return a DOCX two of whose parts are the same bytes."""
    data = bytearray(zipped({"word/document.xml": word("hello"), "word/other.xml": "x" * 50}))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = (5).to_bytes(4, "little")
    return bytes(data)


def giant_png(side: int = 30_000) -> bytes:
    """Return a PNG of a few MB that decodes to 4 bytes for each of side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">2I5B", side, side, 8, 6, 0, 0, 0)
    pixels = b"\x78\x9c" + zeros((4 * side + 1) * side >> 20)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def flate_bomb() -> bytes:
    """Return a PDF whose page is 2 GiB of spaces, or so it says."""
    packed = b"\x78\x9c" + zeros(2048)
    page = f"<</Length {len(packed)}/Filter/FlateDecode>>stream\n".encode() + packed + b"\nendstream"
    return document([WORDS]).replace(stream(WORDS), page)


def nested_flate() -> bytes:
    """Return a PDF whose page is packed twice: a few kB, then MBs, then GBs."""
    packed = zlib.compress(b"\x78\x9c" + zeros(4096), 9)
    page = f"<</Length {len(packed)}/Filter[/FlateDecode/FlateDecode]>>stream\n".encode() + packed + b"\nendstream"
    return document([WORDS]).replace(stream(WORDS), page)


def xref_loop() -> bytes:
    data = document([WORDS])
    at = int(data.rpartition(b"startxref\n")[2].split()[0])
    return data.replace(b"trailer<<", b"trailer<</Prev %d" % at)


def page_loop() -> bytes:
    return file([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 10/Parent 2 0 R>>"])


def pages_in_pages(depth: int = 5_000) -> bytes:
    """Return a PDF whose page tree is a branch of this length."""
    nodes = [
        f"<</Type/Pages/Kids[{n + 1} 0 R]/Count 1/Parent {max(1, n - 1)} 0 R>>".encode() for n in range(2, depth + 2)
    ]
    return file([b"<</Type/Catalog/Pages 2 0 R>>", *nodes, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"])


def laughing(data: bytes) -> bytes:
    """Return an office file whose parts that use entities declare them: some of each other, one of a file's content."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    return zipped({name: LAUGHS.encode() + part if b"&b;" in part else part for name, part in parts.items()})


def billion() -> str:
    """Return the declaration of an entity `i` that stands for 10^9 words."""
    rows = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    return f'<!DOCTYPE d [<!ENTITY a "ha">{rows}]>'


def svg(inside: str, said: str = "") -> bytes:
    return f'<?xml version="1.0"?>{inside}<svg xmlns="http://www.w3.org/2000/svg"><text>{said}</text></svg>'.encode()
