"""Office files that were made to do harm, or that chance has spoilt, end with a clear error and do none."""

import contextlib
import io
import os
import random
import struct
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib import import_module

import pytest
import xlwt
from pptx import Presentation

from pipelines.ingest.elements import Extraction
from pipelines.ingest.extract import READERS, extract, extract_many
from schemas.errors.files import Bomb, Damaged
from schemas.errors.tree import AuraError
from tests.unit.ingest.offices import doc, epub, ods, odt, ole, ppt, raw_xlsx, record, zipped
from tests.unit.ingest.test_passwords import locked

LAUGHS = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY s SYSTEM "file:///etc/passwd">]>'
CELLS = '<sheetData><row r="1"><c t="inlineStr"><is><t>Name</t></is></c><c t="inlineStr"><is><t>Age</t></is></c></row><row r="2"><c t="inlineStr"><is><t>Ann</t></is></c><c><v>3</v></c></row></sheetData>'
ROWS = "<table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row>"
TRIES = 60


def deck() -> bytes:
    show, buffer = Presentation(), io.BytesIO()
    show.slides.add_slide(show.slide_layouts[1]).shapes.title.text = "Words"
    show.save(buffer)
    return buffer.getvalue()


def old_sheet() -> bytes:
    book, buffer = xlwt.Workbook(), io.BytesIO()
    book.add_sheet("One").write(0, 0, "words")
    book.save(buffer)
    return buffer.getvalue()


SAMPLES = {
    "xlsx": raw_xlsx(CELLS),
    "pptx": deck(),
    "docx": zipped({"word/document.xml": '<w:document xmlns:w="urn:w"><w:body><w:p><w:r><w:t>hi</w:t></w:r></w:p></w:body></w:document>'}),
    "ods": ods({"A": ROWS}),
    "odt": odt("<text:p>words</text:p><table:table><table:table-row><table:table-cell/></table:table-row></table:table>"),
    "epub": epub({"a.xhtml": "<p>words</p>"}),
    "doc": doc([("Words\r", b"\0\0"), ("a\x07", b"\0\0\x16\x24\1"), ("\x07", b"\0\0\x16\x24\1\x17\x24\1")]),
    "ppt": ppt([("Title", "text", "notes")]),
    "xls": old_sheet(),
    "rtf": rb"{\rtf1\ansi{\fonttbl{\f0\fcharset0 A;}}\pard\u26085? \'e9\par\trowd\intbl a\cell b\cell\row}",
    "csv": b'a;b\n1;"x\ny"\n',
    "ndjson": b'{"a": 1}\n{"a": [2, {"b": "c"}]}\n',
}  # fmt: skip
LOCKED = locked(deck(), "x")


def read(kind: str, data: bytes, password: str | None = None) -> Extraction:
    """Read in this process: what is tried a thousand times must not fork each time."""
    key = {"password": password} if READERS[kind].locks else {}
    found: Extraction = import_module(READERS[kind].module).read(data, **key)
    return found


def spoilt(data: bytes, rng: random.Random) -> bytes:
    """Return a file cut short, with other bytes in it, with a hole, or without sense."""
    at, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    if not data or (way := rng.randrange(5)) == 0:
        return rng.randbytes(rng.choice((0, 1, 30, 3000)))
    if way == 1:
        return data[:at]
    if way == 2:
        return data[:at] + data[end:]
    filler = rng.choice((b"\xff\xff\xff\xff", bytes(4), b"\xff\xff\xff\x7f", rng.randbytes(4)))
    times = 1 if way == 3 else 12
    changed = bytearray(data)
    for _ in range(times):
        at = rng.randrange(len(changed))
        changed[at : at + len(filler)] = filler
    return bytes(changed)


def repacked(data: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield the parts of an archive, one of them spoilt."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        victim = rng.choice(packed.namelist())
        for name in packed.namelist():
            content = packed.read(name)
            yield name, spoilt(content, rng) if name == victim else content


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_spoilt_file_is_read_or_refused_but_never_breaks_its_reader(kind: str) -> None:
    rng = random.Random(kind)
    assert any(element.text for element in read(kind, SAMPLES[kind]).elements)
    for i in range(TRIES):
        inside = SAMPLES[kind].startswith(b"PK") and i % 2
        data = zipped(dict(repacked(SAMPLES[kind], rng))) if inside else spoilt(SAMPLES[kind], rng)
        try:
            read(kind, data)
        except AuraError as error:
            assert error.code in ("damaged", "unpacks_too_large", "encrypted", "type_mismatch")


SPOILT = int(os.environ.get("AURA_SPOILT_LOCKS", "10"))


def test_a_spoilt_lock_is_opened_or_refused() -> None:
    rng = random.Random(3)
    for _ in range(SPOILT):
        for kind in ("pptx", "ppt", "xls"):
            with contextlib.suppress(AuraError):
                read(kind, spoilt(LOCKED, rng), "x")


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("data", [b"", b"\0", b"PK\3\4", bytes.fromhex("d0cf11e0a1b11ae1"), b"\xff" * 2000])
def test_next_to_nothing_is_read_or_refused(kind: str, data: bytes) -> None:
    found = taken_for_each_kind(data)[kind]
    assert isinstance(found, Extraction) or found.status == 422 or found.code == "type_mismatch", found


@cache
def taken_for_each_kind(data: bytes) -> dict[str, Extraction | AuraError]:
    """Return what becomes of a file that each reader is given, in one child: a hundred forks take longer than to read."""
    found = extract_many([(data, kind, f"a.{kind}", None) for kind in READERS])
    return dict(zip(READERS, found, strict=True))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("xlsx", raw_xlsx(CELLS.replace("Ann", "&b;&s;"))),
        ("ods", ods({"A": ROWS.replace(">a<", ">a&b;&s;<")})),
        ("odt", odt("<text:p>a&b;&s;</text:p>")),
        ("epub", epub({"a.xhtml": "<p>a&b;&s;</p>"})),
    ],
)
def test_entities_are_not_expanded_and_lead_nowhere(kind: str, data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = {
            name: LAUGHS.encode() + packed.read(name) if b"&b;" in packed.read(name) else packed.read(name)
            for name in packed.namelist()
        }
    try:
        text = " ".join(element.text for element in extract(zipped(parts), kind, "a").elements)
    except Damaged:
        return
    assert "haha" not in text
    assert "root:" not in text


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("xlsx", "xl/workbook.xml"),
        ("pptx", "ppt/presentation.xml"),
        ("odt", "content.xml"),
        ("ods", "content.xml"),
        ("epub", "META-INF/container.xml"),
    ],
)
def test_archives_that_unpack_to_far_more_are_not_opened(kind: str, part: str) -> None:
    with pytest.raises(Bomb):
        extract(zipped({part: bytes(64 << 20)}), kind, "a")
    with pytest.raises(Bomb):
        extract(zipped({part: b"<x/>", **{f"p{i}": b"" for i in range(10_001)}}), kind, "a")


def test_relations_that_lead_outside_are_not_followed() -> None:
    relations = '<Relationships><Relationship Id="r1" Type="x/officeDocument" Target="file:///etc/passwd" TargetMode="External"/></Relationships>'
    with pytest.raises(Damaged):
        extract(zipped({"_rels/.rels": relations}), "xlsx", "a")
    with pytest.raises(Damaged):
        extract(
            zipped({"_rels/.rels": relations.replace('TargetMode="External"', "").replace("file:///etc", "../../etc")}),
            "docx",
            "a",
        )


def test_merges_and_repeats_without_end_are_bounded() -> None:
    merges = "".join(f'<mergeCell ref="A1:XFD{1000 + i}"/>' for i in range(5000))
    assert extract(raw_xlsx(f"{CELLS}<mergeCells>{merges}</mergeCells>"), "xlsx", "a").elements
    many = ROWS.replace("<table:table-row>", '<table:table-row table:number-rows-repeated="99999999">')
    with pytest.raises(Bomb, match="stands for more rows"):
        extract(ods({"A": many}), "ods", "a")
    wide = ROWS.replace("<table:table-cell>", '<table:table-cell table:number-columns-repeated="99999999">')
    assert len(extract(ods({"A": wide}), "ods", "a").elements[-1].text) < 300_000


def test_properties_that_count_without_end_are_left() -> None:
    summary = bytes(44) + struct.pack("<III", 48, 8, 0xFFFFFFFF)
    with pytest.raises(Damaged):
        read("doc", ole({"WordDocument": b"", "\x05SummaryInformation": summary}))
    assert read("ppt", ole({"PowerPoint Document": b"", "\x05SummaryInformation": summary})).elements == ()


def test_records_inside_records_without_end_are_damage() -> None:
    body = b""
    for _ in range(200):
        body = record(1006, body, container=True)
    with pytest.raises(Damaged):
        extract(ole({"PowerPoint Document": body}), "ppt", "a")
