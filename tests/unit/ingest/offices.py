"""Office files as tests need them: written part by part, the old ones down to their sectors."""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from xml.sax.saxutils import escape

from openpyxl import Workbook

ODF = 'xmlns:office="urn:o" xmlns:table="urn:t" xmlns:text="urn:x" xmlns:draw="urn:d"'


def zipped(parts: Mapping[str, str | bytes], first: str = "") -> bytes:
    """Return an archive; `first` is the content of a stored part `mimetype` at its beginning."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        if first:
            packed.writestr("mimetype", first, zipfile.ZIP_STORED)
        for name, content in parts.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def xlsx(fill: Callable[[Workbook], object]) -> bytes:
    """Return a workbook of one empty sheet that `fill` has filled."""
    book, buffer = Workbook(), io.BytesIO()
    fill(book)
    book.save(buffer)
    return buffer.getvalue()


def raw_xlsx(
    sheet: str, strings: Sequence[str] = (), formats: Mapping[int, str] | None = None, strict: bool = False
) -> bytes:
    """Return a workbook whose one sheet is written out: what openpyxl would not write, or not as it is found."""
    base = "http://purl.oclc.org/ooxml" if strict else "http://schemas.openxmlformats.org"
    main = f"{base}/spreadsheetml/main" if strict else f"{base}/spreadsheetml/2006/main"
    doc = f"{base}/officeDocument/relationships" if strict else f"{base}/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    relation = '<Relationship Id="{}" Type="{}/{}" Target="{}"/>'
    codes = formats or {}
    return zipped(
        {
            "_rels/.rels": f'<Relationships xmlns="{package}">{relation.format("r1", doc, "officeDocument", "xl/workbook.xml")}</Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{doc}"><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">'
            + relation.format("r1", doc, "worksheet", "/xl/worksheets/sheet1.xml")
            + relation.format("r2", doc, "sharedStrings", "sharedStrings.xml")
            + relation.format("r3", doc, "styles", "styles.xml")
            + "</Relationships>",
            "xl/sharedStrings.xml": f'<sst xmlns="{main}">'
            + "".join(f"<si><t>{escape(s)}</t></si>" for s in strings)
            + "</sst>",
            "xl/styles.xml": f'<styleSheet xmlns="{main}"><numFmts>'
            + "".join(
                f'<numFmt numFmtId="{i}" formatCode="{escape(c, {chr(34): "&quot;"})}"/>' for i, c in codes.items()
            )
            + '</numFmts><cellXfs><xf numFmtId="0"/>'
            + "".join(f'<xf numFmtId="{i}"/>' for i in codes)
            + "</cellXfs></styleSheet>",
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}">{sheet}</worksheet>',
        }
    )


def ods(sheets: Mapping[str, str]) -> bytes:
    """Return a sheet file of the given rows, as XML, by sheet name."""
    tables = "".join(f'<table:table table:name="{escape(name)}">{rows}</table:table>' for name, rows in sheets.items())
    return _odf("spreadsheet", tables)


def odt(body: str) -> bytes:
    """Return a text document with this body."""
    return _odf("text", body)


def _odf(kind: str, body: str) -> bytes:
    content = f"<office:document-content {ODF}><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    return zipped(
        {"content.xml": content, "META-INF/manifest.xml": "<manifest/>"},
        f"application/vnd.oasis.opendocument.{kind}",
    )


def epub(chapters: Mapping[str, str], contents: str = "", more: Mapping[str, str] | None = None) -> bytes:
    """Return a book of these chapters by file name, in their order; `contents` is its NCX."""
    items = "".join(
        f'<item id="i{i}" href="{name}" media-type="application/xhtml+xml"/>' for i, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="i{i}"/>' for i in range(len(chapters)))
    ncx = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    return zipped(
        {
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": f"<package><metadata><title>A Book</title></metadata><manifest>{items}{ncx}</manifest><spine>{spine}</spine></package>",
            "OPS/toc.ncx": f"<ncx><navMap>{contents}</navMap></ncx>",
            **{f"OPS/{name}": f"<html><body>{body}</body></html>" for name, body in chapters.items()},
            **(more or {}),
        },
        "application/epub+zip",
    )


def ole(streams: Mapping[str, bytes]) -> bytes:
    """Return an OLE file of these streams, each padded to 4,096 bytes so that none is a small one.

    After [MS-CFB]: a header, one directory, then the streams, chained by a table of sectors.
    """
    padded = {name: data.ljust(max(4096, (len(data) + 511) // 512 * 512), b"\0") for name, data in streams.items()}
    entries = [_entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1)]
    chain: list[int] = []
    sector = directory = (len(streams) + 1 + 3) // 4
    chain += [*range(1, directory), 0xFFFFFFFE]
    for number, (name, data) in enumerate(padded.items(), 1):
        right = number + 1 if number < len(padded) else 0xFFFFFFFF
        entries.append(_entry(name, 2, sector, len(data), right=right))
        count = len(data) // 512
        chain += [*range(sector + 1, sector + count), 0xFFFFFFFE]
        sector += count
    entries += [bytes(128)] * (-len(entries) % 4)
    tables = (len(chain) + 127) // 128 + 1
    first = len(chain)
    chain += [0xFFFFFFFD] * tables
    chain += [0xFFFFFFFF] * (128 * tables - len(chain))
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII", bytes.fromhex("d0cf11e0a1b11ae1"), bytes(16), 62, 3, 0xFFFE, 9, 6,
        0, tables, 0, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, first,
    )  # fmt: skip
    header += struct.pack(f"<{108}I", *range(first + 1, first + tables), *[0xFFFFFFFF] * (109 - tables))
    return header + b"".join(entries) + b"".join(padded.values()) + struct.pack(f"<{128 * tables}I", *chain)


def _entry(name: str, kind: int, start: int, size: int, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF) -> bytes:
    raw = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ", raw, len(raw) + 2, kind, 1, 0xFFFFFFFF, right, child, bytes(16), 0, 0, 0, start, size
    )


def doc(paragraphs: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a Word 97 document of (text with its end mark, properties: style and single changes) in UTF-16."""
    text = "".join(text for text, _ in paragraphs)
    body, begin = text.encode("utf-16-le"), 1024
    page_at = (begin + len(body) + 511) // 512
    ends = [begin]
    for part, _ in paragraphs:
        ends.append(ends[-1] + len(part.encode("utf-16-le")))
    page = bytearray(512)
    struct.pack_into(f"<{len(ends)}I", page, 0, *ends)
    page[511] = len(paragraphs)
    at = 510
    for i, (_, properties) in enumerate(paragraphs):
        raw = properties + bytes(len(properties) % 2)
        at = (at - len(raw) - 2) // 2 * 2
        page[at : at + 2 + len(raw)] = bytes([0, len(raw) // 2]) + raw
        page[4 * len(ends) + 13 * i] = at // 2
    main = bytearray(page_at * 512)
    struct.pack_into("<HH6xH", main, 0, 0xA5EC, 193, 0x0200)
    struct.pack_into("<I", main, 76, len(body) // 2)
    main[begin : begin + len(body)] = body
    pieces = struct.pack("<BI2I2xIH", 2, 16, 0, len(body) // 2, begin, 0)
    runs = struct.pack("<3I", ends[0], ends[-1], page_at)
    struct.pack_into("<2I", main, 0x1A2, 0, len(pieces))
    struct.pack_into("<2I", main, 0x102, len(pieces), len(runs))
    return ole({"WordDocument": bytes(main + page), "1Table": pieces + runs})


def record(kind: int, body: bytes, instance: int = 0, container: bool = False) -> bytes:
    """Return a record of a PowerPoint stream."""
    return struct.pack("<HHI", instance << 4 | (0xF if container else 0), kind, len(body)) + body


def ppt(slides: Sequence[tuple[str, str, str]]) -> bytes:
    """Return a PowerPoint 97 presentation of (title, text, notes)."""
    kept: list[bytes] = [b""]  # the document comes first, once all else is placed
    listed, noted = b"", b""
    for number, (title, text, notes) in enumerate(slides, 256):
        box = record(0xF00D, record(3998, struct.pack("<I", 0)), container=True)
        other = record(
            0xF00D, record(3999, struct.pack("<I", 1)) + record(4008, text.encode("latin-1")), container=True
        )
        listed += record(1011, struct.pack("<5I", len(kept) + 1, 0, 1, number, 0))
        listed += record(3999, struct.pack("<I", 0)) + record(4000, title.encode("utf-16-le"))
        kept.append(record(1006, box + other, container=True))
        if notes:
            noted += record(1011, struct.pack("<5I", len(kept) + 1, 0, 1, number + 1000, 0))
            said = record(3999, struct.pack("<I", 2)) + record(4000, notes.encode("utf-16-le"))
            atom = record(1009, struct.pack("<II", number, 0))
            kept.append(record(1008, atom + record(0xF00D, said, container=True), container=True))
    kept[0] = record(1000, record(4080, listed, 0, True) + record(4080, noted, 2, True), container=True)
    main, places = b"", []
    for item in kept:
        places.append(len(main))
        main += item
    directory = len(main)
    main += record(6002, struct.pack("<I", len(places) << 20 | 1) + struct.pack(f"<{len(places)}I", *places))
    edit = len(main)
    main += record(4085, struct.pack("<7I", 0, 0, 0, directory, 1, 0, 0))
    return ole({"PowerPoint Document": main, "Current User": struct.pack("<4xI8xI", 20, edit)})
