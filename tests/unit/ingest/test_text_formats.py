"""Text in every dress: encodings, markup, nesting."""

import json

import pytest

from pipelines.ingest.elements import Kind
from pipelines.ingest.extract import extract, require_text
from pipelines.ingest.sniff import file_type, safe_filename
from schemas.errors.files import Damaged, NoText
from schemas.errors.uploads import TypeMismatch, UnsupportedType


def text(data: bytes, kind: str) -> str:
    return "\n".join(element.text for element in extract(data, kind, f"file.{kind}").elements)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"])
def test_text_is_read_in_any_encoding(encoding: str) -> None:
    said = "Die Straße über den Fluß führt nach Köln. Zwölf Bäume stehen schön am Weg."
    assert said in text(said.encode(encoding), "txt")


def test_nul_and_bidi_overrides_are_gone() -> None:
    assert text("safe\x00 \u202egnp.exe\u202c name".encode(), "txt") == "safe gnp.exe name"


def test_markdown_keeps_headings_lists_and_tables() -> None:
    found = extract(b"# Top\n\n## Sub\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "md", "x.md")
    assert [(e.text, e.level) for e in found.elements if e.kind is Kind.TITLE] == [("Top", 1), ("Sub", 2)]
    assert any(e.rows == (("a", "b"), ("1", "2")) for e in found.elements)
    assert {"one", "two"} <= {e.text for e in found.elements if e.kind is Kind.LIST_ITEM}


def test_html_drops_scripts_and_keeps_the_title() -> None:
    found = extract(
        b"<html><head><title>Shop</title><script>steal()</script></head><body><h1>Hours</h1><p>Nine</p>",
        "html",
        "x.html",
    )
    assert found.title == "Shop"
    assert "steal" not in "".join(element.text for element in found.elements)


def test_json_keeps_names_beside_values() -> None:
    data = json.dumps(
        {"shop": {"name": "Larkfield", "open": {"sunday": "10-14"}}, "bikes": [{"model": "Trek", "eur": 42}]}
    )
    found = text(data.encode(), "json")
    assert "Larkfield" in found
    assert "sunday" in found.lower()
    assert "Trek" in found


@pytest.mark.parametrize("data", [b"{", b"[" * 10_000 + b"]" * 10_000, b'{"a": 1,}', b"\xff\xfe\xfa"])
def test_broken_json_is_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        extract(data, "json", "x.json")


def test_what_has_no_letter_has_no_text() -> None:
    with pytest.raises(NoText):
        require_text(extract(b" \n --- \n", "txt", "x.txt"))


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.pdf", b"%PDF-1.7 x", "pdf"),
        ("a.txt", b"<!doctype html><p>x", "html"),
        ("a.md", b"# x", "md"),
        ("README", b"plain words", "txt"),
        ("a.json", b"{}", "json"),
    ],
)
def test_the_type_is_what_name_and_content_say(name: str, head: bytes, kind: str) -> None:
    assert file_type(name, head) == kind


def test_what_is_not_what_it_says_is_refused() -> None:
    with pytest.raises(TypeMismatch):
        file_type("a.pdf", b"PK\x03\x04 word/")
    with pytest.raises(UnsupportedType):
        file_type("a.exe", b"MZ\x90\x00")


@pytest.mark.parametrize(
    "name", ["../../x", "..", "", "CON", "a\r\nb.txt", "x" * 400 + ".pdf", "\u202efdp.exe", "C:\\a\\b.txt"]
)
def test_a_name_is_always_safe(name: str) -> None:
    safe = safe_filename(name)
    assert safe
    assert len(safe) <= 255
    assert not set(safe) & set('/\\\r\n\u202e<>:"|?*')
    assert safe.upper() not in ("CON", ".", "..")
