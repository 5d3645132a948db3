"""Outlook's messages: their text in any of its forms, and what is attached."""

from collections.abc import Mapping

import pytest

from pipelines.ingest.elements import Extraction
from pipelines.ingest.extract import READERS, extract
from pipelines.ingest.sniff import file_type
from schemas.errors.files import Damaged
from schemas.errors.tree import AuraError
from schemas.errors.uploads import TypeMismatch
from tests.unit.ingest.ole import Tree, ole, properties
from tests.unit.ingest.pdfs import document, text

SUBJECT, BODY, HTML, RTF, HEADERS = 0x0037, 0x1000, 0x1013, 0x1009, 0x007D
NAME, DATA, MIME, CONTENT_ID = 0x3707, 0x3701, 0x370E, 0x3712
PDF = document([text(60, 700, "Words of a page.")])


def message(texts: Mapping[int, str | bytes], *attached: Tree, top: bool = True, **fixed: int) -> Tree:
    numbers = {int(name[1:], 16): value for name, value in fixed.items()}
    folders = {f"__attach_version1.0_#{i:08X}": one for i, one in enumerate(attached)}
    return {**properties(texts, 32 if top else 24, numbers), **folders}


def attachment(name: str, data: bytes | Tree, **more: str) -> Tree:
    texts: dict[int, str | bytes] = {NAME: name, **{int(key[1:], 16): value for key, value in more.items()}}
    if isinstance(data, bytes):
        return properties({**texts, DATA: data}, 8)
    return {**properties(texts, 8), f"__substg1.0_{DATA:04X}000D": data}


def read(tree: Tree) -> Extraction:
    data = ole(tree)
    assert file_type("a.msg", data[:8192]) == "msg"
    return extract(data, "msg", "a.msg")


def texts(tree: Tree) -> list[str]:
    return [element.text for element in read(tree).elements]


def test_a_message_has_its_headers_subject_and_text() -> None:
    sent = int(133_500_000_000 * 1e6)  # 2024-01-17T21:20:00Z in steps of 100 ns since 1601.
    tree = message(
        {SUBJECT: "Größe", BODY: "We met on Monday.", 0x0C1A: "Ada", 0x5D01: "ada@example.org", 0x0E04: "Bob"},
        x0039=sent,
    )
    found = read(tree)
    assert found.title == "Größe"
    assert [one.text for one in found.elements] == [
        "Größe",
        "From: Ada <ada@example.org>\nTo: Bob\nDate: Wed, 17 Jan 2024 21:20:00 +0000\nSubject: Größe",
        "We met on Monday.",
    ]


def test_the_headers_it_travelled_with_are_preferred() -> None:
    told = "From: =?utf-8?Q?J=C3=B6rg?= <j@example.org>\r\nSubject: other\r\nDate: Tue, 1 Jan 2030 10:00:00 +0000\r\n"
    found = texts(message({SUBJECT: "s", BODY: "words", HEADERS: told, 0x0C1A: "nobody"}))
    assert "From: Jörg <j@example.org>" in found[1]
    assert "1 Jan 2030" in found[1]


def rich(markup: bytes) -> bytes:
    """Return RTF as Outlook packs it, without packing it ([MS-OXRTFCP], MELA)."""
    return (
        len(markup + bytes(12)).to_bytes(4, "little") + len(markup).to_bytes(4, "little") + b"MELA" + bytes(4) + markup
    )


@pytest.mark.parametrize(
    "body",
    [
        {HTML: b"<p>The <b>words</b>.</p>"},
        {HTML: "<p>The <b>words</b>.</p>"},
        {BODY: " \r\n", HTML: b"<p>The words.</p>"},
        {BODY: "The words.", HTML: b"<p>others</p>"},
        {RTF: rich(rb"{\rtf1\ansi The words.}")},
    ],
)
def test_the_text_is_taken_from_whatever_form_there_is(body: Mapping[int, str | bytes]) -> None:
    if RTF in body:
        pytest.importorskip(READERS["rtf"].module)
    assert texts(message({SUBJECT: "s", **body}))[-1] == "The words."


def test_old_messages_are_read_in_their_code_page() -> None:
    tree = dict(message({SUBJECT: "s"}, x3FFD=1253))
    tree["__substg1.0_1000001E"] = "Ναι.".encode("cp1253")
    assert texts(tree)[-1] == "Ναι."


def test_attachments_are_read_by_their_own_readers() -> None:
    found = texts(
        message(
            {SUBJECT: "s", BODY: "words " * 1_000},
            attachment("page.pdf", PDF),
            attachment("song.mp3", b"ID3" + bytes(500)),
            attachment("no suffix", PDF, x370E="application/pdf"),
            attachment("logo.png", b"\x89PNG\r\n\x1a\n", x3712="logo@1"),
            properties({NAME: "linked.pdf"}, 8),
        )
    )
    assert found[3:5] == ["Attachment: page.pdf", "Words of a page."]
    assert found[5] == "Attachment: song.mp3"
    assert "not read" in found[6]
    assert found[7:9] == ["Attachment: no suffix", "Words of a page."]
    assert found[9] == "Attachment: linked.pdf"
    assert "not read" in found[10]
    assert len(found) == 11


def test_a_message_in_a_message_is_read_to_a_depth() -> None:
    tree = message({SUBJECT: "8", BODY: "Words of depth 8."}, attachment("a.txt", b"The deepest words."), top=False)
    for depth in range(7, 0, -1):
        around = {SUBJECT: f"Depth {depth}", BODY: f"Words of depth {depth}."}
        tree = message(around, attachment(f"Depth {depth + 1}", tree), top=depth == 1)
    found = texts(tree)
    assert [one for one in found if one.startswith("Words")] == [f"Words of depth {depth}." for depth in range(1, 6)]
    assert any("nested more than 5 deep" in one for one in found)


def test_another_ole_file_is_no_message() -> None:
    with pytest.raises(TypeMismatch):
        read({"WordDocument": b"x" * 100})


def test_cut_files_are_damage_or_give_what_they_hold() -> None:
    whole = ole(message({SUBJECT: "s", BODY: "words " * 2_000}, attachment("page.pdf", PDF)))
    for at in range(0, len(whole), 311):
        try:
            extract(whole[:at], "msg", "a.msg")
        except AuraError as error:
            assert isinstance(error, Damaged | TypeMismatch)


def test_a_folder_that_holds_itself_is_read_once() -> None:
    data = bytearray(ole(message({SUBJECT: "s", BODY: "words"}, attachment("a.txt", b"The words."))))
    at = data.index("__attach_version1.0_#00000000".encode("utf-16-le"))
    data[at + 76 : at + 80] = bytes(4)  # The folder's first child is the root.
    found = extract(bytes(data), "msg", "a.msg")
    assert [one.text for one in found.elements].count("words") == 1
