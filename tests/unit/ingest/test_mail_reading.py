"""Mails are read with what is attached to them, and what cannot be read does not keep the rest from it."""

import io
import time
import zipfile
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.extract import extract
from pipelines.ingest.formats.mail import attached, eml
from pipelines.ingest.sniff import file_type
from schemas.errors.files import Damaged
from schemas.errors.tree import AuraError
from tests.unit.ingest.pdfs import document, text


def mail(subject: str = "Minutes", body: str = "We met on Monday.") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Ada <ada@example.org>", "Bob <bob@example.org>"
    message["Date"], message["Subject"] = "Mon, 02 Nov 2026 09:00:00 +0100", subject
    message.set_content(body)
    return message


def read(data: bytes | EmailMessage) -> Extraction:
    data = data if isinstance(data, bytes) else data.as_bytes()
    assert file_type("a.eml", data) == "eml"
    return extract(data, "eml", "a.eml")


def texts(data: bytes | EmailMessage) -> list[str]:
    return [element.text for element in read(data).elements]


def under(found: Extraction, name: str) -> list[Element]:
    """Return the elements below the heading of an attachment."""
    titles = [element.text for element in found.elements]
    at = titles.index(f"Attachment: {name}")
    level = found.elements[at].level or 0
    rest = found.elements[at + 1 :]
    ends = (i for i, one in enumerate(rest) if one.kind is Kind.TITLE and (one.level or 0) <= level)
    return list(rest[: next(ends, len(rest))])


def test_a_mail_has_its_headers_its_subject_and_its_text() -> None:
    found = read(mail())
    assert found.title == "Minutes"
    assert [(one.kind, one.text) for one in found.elements] == [
        (Kind.TITLE, "Minutes"),
        (
            Kind.TEXT,
            "From: Ada <ada@example.org>\nTo: Bob <bob@example.org>\n"
            "Date: Mon, 02 Nov 2026 09:00:00 +0100\nSubject: Minutes",
        ),
        (Kind.TEXT, "We met on Monday."),
    ]


def raw(head: str, body: bytes) -> bytes:
    return b"From: a@example.org\r\n" + head.encode("latin-1") + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("iso-8859-1", "8bit"), ("windows-1252", "8bit"), ("utf-8", "8bit"), ("shift_jis", "8bit"), ("koi8-r", "8bit")],
)
@pytest.mark.parametrize("transfer", ["8bit", "base64", "quoted-printable"])
def test_text_in_any_encoding_is_read(charset: str, encoding: str, transfer: str) -> None:
    import base64
    import quopri

    said = {"shift_jis": "会議は月曜日です。", "koi8-r": "Встреча в понедельник."}.get(charset, "Größe über alles.")
    body = said.encode(charset)
    body = {"8bit": bytes, "base64": base64.encodebytes, "quoted-printable": quopri.encodestring}[transfer](body)
    head = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {transfer}"
    assert texts(raw(head, body))[-1] == said


@pytest.mark.parametrize("charset", ["x-nothing", "hex", "punycode", "idna", "unicode_escape", "undefined", "a\x01b"])
def test_a_charset_that_is_none_is_guessed(charset: str) -> None:
    head = f'Content-Type: text/plain; charset="{charset}"\r\nContent-Transfer-Encoding: 8bit'
    assert texts(raw(head, "Größe \\u0041 über alles.".encode()))[-1] == "Größe \\u0041 über alles."


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=?utf-8?B?R3LDtsOfZQ==?=", "Größe"),
        ("=?iso-8859-1?Q?Gr=F6=DFe_ist?= alles", "Größe ist alles"),
        ("=?utf-8?Q?Gr=C3?= =?utf-8?Q?=B6=C3=9Fe?=", "Größe"),
        ("=?ISO-2022-JP?B?GyRCMnE1RBsoQg==?=", "会議"),
        ("=?x-none?Q?plain?=", "plain"),
        ("=?utf-8?B?R3L?= odd", None),
        ("Größe", "Größe"),
        ("path C:\\users\\u =?utf-8?Q?=C3=B6?=", "path C:\\users\\u ö"),
    ],
)
def test_headers_are_decoded(written: str, meant: str | None) -> None:
    data = b"Subject: " + written.encode() + b"\r\nFrom: a@example.org\r\n\r\nwords"
    assert read(data).title == (meant or read(data).title)


def test_the_plain_version_is_taken_unless_it_says_nothing() -> None:
    both = mail(body="The plain words of a mail.")
    both.add_alternative("<p>The <b>rich</b> words of a mail, with a footer.</p>", subtype="html")
    assert texts(both)[-1] == "The plain words of a mail."
    excuse = mail(body="Use an HTML reader.")
    excuse.add_alternative("<h2>Offer</h2><p>" + "The words that matter. " * 10 + "</p>", subtype="html")
    found = read(excuse).elements
    assert (found[-2].text, found[-2].level) == ("Offer", 3)
    assert found[-1].text.startswith("The words that matter.")
    only = mail()
    only.set_content("<p>Only <i>rich</i> words.</p>", subtype="html")
    assert texts(only)[-1] == "Only rich words."


PDF = document([text(60, 700, "Words of a page.")])


def docx(words: bytes) -> bytes:
    body = b'<w:document xmlns:w="urn:w"><w:body><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:body></w:document>' % words
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("word/document.xml", body)
    return buffer.getvalue()


def attach(message: EmailMessage, name: str, data: bytes, kind: str = "application/octet-stream", **more: str) -> None:
    main, sub = kind.split("/")
    message.add_attachment(data, maintype=main, subtype=sub, filename=name, **more)


def test_attachments_are_read_by_their_own_readers() -> None:
    message = mail()
    attach(message, "page.pdf", PDF, "application/pdf")
    attach(message, "letter.docx", docx(b"Words of a letter."))
    attach(message, "list.csv", b"name,age\nAda,36\n")
    attach(message, "ohne endung", PDF, "application/pdf")
    found = read(message)
    page = under(found, "page.pdf")
    assert [(one.text, one.page, one.box) for one in page] == [("Words of a page.", 1, None)]
    assert [one.text for one in under(found, "letter.docx")] == ["Words of a letter."]
    assert "Ada" in " ".join(one.text for one in under(found, "list.csv"))
    assert [one.text for one in under(found, "ohne endung")] == ["Words of a page."]


def test_headings_of_an_attachment_stand_below_its_name() -> None:
    message = mail()
    attach(message, "a.md", b"# One\n\n## Two\n\nwords")
    levels = [(one.text, one.level) for one in read(message).elements if one.kind is Kind.TITLE]
    assert levels == [("Minutes", 1), ("Attachment: a.md", 2), ("One", 3), ("Two", 4)]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("song.mp3", b"ID3" + bytes(500), "transcribed"),
        ("a.pdf", b"%PDF-1.7 cut", "damaged"),
        ("a.pdf", b"MZ\x90\0", "content is not PDF"),
        (
            "locked.docx",
            bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "password",
        ),
        ("a.zip", b"PK\x03\x04" + bytes(50), "cannot be read"),
        ("winmail.dat", b"\x78\x9f\x3e\x22", "Outlook"),
        ("empty.txt", b"", "empty"),
        ("bomb.json", b"[" * 100_000, "nested"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_reason(name: str, data: bytes, reason: str) -> None:
    message = mail()
    attach(message, name, data)
    attach(message, "last.txt", b"The last words.")
    found = read(message)
    (said,) = under(found, name)
    assert said.text.startswith("This attachment was not read: ")
    assert reason in said.text
    assert [one.text for one in under(found, "last.txt")] == ["The last words."]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt", "Größe.txt"),
        ("attachment; filename*0*=UTF-8''Gr%C3%B6; filename*1*=%C3%9Fe.txt", "Größe.txt"),
        ('attachment; filename="=?utf-8?Q?Gr=C3=B6=C3=9Fe=2Etxt?="', "Größe.txt"),
        ('attachment; filename="Größe.txt"', "Größe.txt"),
        ("attachment; filename*=x-none''a%FFb.txt", "a"),
        ('attachment; filename="../../etc/a.txt"', "../../etc/a.txt"),
    ],
)
def test_names_of_attachments_are_decoded(disposition: str, name: str) -> None:
    part = (
        b"--x\r\nContent-Type: text/plain\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\nIts words.\r\n"
    )
    data = b"Subject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + part + b"--x--\r\n"
    found = texts(data)
    assert any(one.startswith(f"Attachment: {name}") for one in found)
    assert found[-1] == "Its words."


def picture(size: int = 0) -> bytes:
    shown = Image.new("L", (900, 300), 255)
    ImageDraw.Draw(shown).text((40, 100), "Letters in a picture", fill=0, font=ImageFont.load_default(60))
    buffer = io.BytesIO()
    shown.save(buffer, "PNG")
    return buffer.getvalue() + bytes(max(0, size - buffer.tell()))


def test_attached_pictures_are_read_and_small_ones_in_the_text_are_not() -> None:
    message = mail()
    attach(message, "scan.png", picture(), "image/png")
    attach(message, "logo.png", picture(), "image/png", disposition="inline", cid="<logo>")
    attach(message, "photo.png", picture(200_000), "image/png", disposition="inline", cid="<photo>")
    found = read(message)
    assert [one.text for one in under(found, "scan.png")] == ["Letters in a picture"]
    assert [one.text for one in under(found, "photo.png")] == ["Letters in a picture"]
    assert "logo" not in " ".join(one.text for one in found.elements)


def test_a_mail_in_a_mail_is_read_as_one() -> None:
    inner = mail("Inner", "The inner words.")
    attach(inner, "a.txt", b"Words attached within.")
    outer = mail("Outer")
    outer.add_attachment(inner)
    attach(outer, "saved.eml", mail("Saved", "The saved words.").as_bytes())
    found = read(outer)
    assert "The inner words." in [one.text for one in under(found, "Inner")]
    assert [one.text for one in under(found, "a.txt")] == ["Words attached within."]
    assert "The saved words." in [one.text for one in under(found, "saved.eml")]
    assert found.title == "Outer"


@pytest.mark.parametrize("as_file", [True, False])
def test_mails_within_mails_are_read_to_a_depth(as_file: bool) -> None:
    message = mail("Depth 8", "Words of depth 8.")
    for depth in range(7, 0, -1):
        around = mail(f"Depth {depth}", f"Words of depth {depth}.")
        if as_file:
            attach(around, "a.eml", message.as_bytes())
        else:
            around.add_attachment(message)
        message = around
    found = texts(message)
    assert [one for one in found if one.startswith("Words")] == [f"Words of depth {depth}." for depth in range(1, 6)]
    assert any("nested more than 5 deep" in one for one in found)


def test_no_more_attachments_are_read_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached.Room, "__init__", lambda self: self.__dict__.update(count=3, size=50, depth=0))
    message = mail()
    for i in range(5):
        attach(message, f"{i}.txt", b"Words of it.")
    found = [one for one in texts(message) if "not read" in one or one == "Words of it."]
    assert found[:3] == ["Words of it."] * 3
    assert all("100 attachments" in one for one in found[3:])
    large = mail()
    attach(large, "a.txt", b"Words of it. " * 10)
    assert "MiB together" in texts(large)[-1]


def test_signatures_are_no_attachments() -> None:
    message = mail()
    attach(message, "smime.p7s", b"x", "application/pkcs7-signature")
    assert "smime" not in " ".join(texts(message))


def test_a_sealed_mail_says_so() -> None:
    message = mail()
    attach(message, "smime.p7m", b"x", "application/pkcs7-mime")
    assert "encrypted" in texts(message)[-1]


def test_nesting_and_parts_without_end_are_bounded() -> None:
    deep = b"Subject: s\r\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(2_000)
    )
    many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000
    began = time.process_time()
    for data in (deep, many, b"Content-Type: message/rfc822\r\n\r\n" * 2_000):
        try:
            read(data)
        except AuraError as error:
            assert isinstance(error, Damaged)
    assert time.process_time() - began < 30


def test_the_real_mails_are_read(shared_data: Path) -> None:
    folder = shared_data / "documents"
    found = extract((folder / "fake-email-attachment.eml").read_bytes(), "eml", "a.eml")
    assert [one.text for one in under(found, "fake-attachment.txt")] == ["Hey this is a fake attachment!"]
    outlook = extract((folder / "fake-email.msg").read_bytes(), "msg", "a.msg")
    assert outlook.title == "Test Email"
    assert "• Roses are red" in [one.text for one in outlook.elements]


def test_flipped_and_cut_mails_raise_nothing_else(shared_data: Path) -> None:
    message = mail("=?utf-8?Q?Gr=C3=B6=C3=9Fe?=")
    attach(message, "a.txt", b"words")
    message.add_attachment(mail())
    outlook = (shared_data / "documents" / "fake-email.msg").read_bytes()
    from pipelines.ingest.formats.mail import msg

    rng = np.random.default_rng(1)
    began = time.process_time()
    for whole, read_it in ((message.as_bytes(), eml.read), (outlook, msg.read)):
        for _ in range(300):
            data = bytearray(whole[: rng.integers(1, len(whole) + 1)] if rng.random() < 0.3 else whole)
            for at in rng.integers(0, len(data), rng.integers(0, 30)):
                data[at] = rng.integers(0, 256)
            try:
                read_it(bytes(data))
            except AuraError:
                continue
    assert time.process_time() - began < 40
