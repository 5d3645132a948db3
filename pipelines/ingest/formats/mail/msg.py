"""MSG: mails as Outlook saves them ([MS-OXMSG], properties in the streams of an OLE file)."""

import io
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.parser import HeaderParser
from email.utils import format_datetime
from functools import partial
from importlib import import_module

import olefile

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction
from pipelines.ingest.extract import READERS
from pipelines.ingest.formats import html
from pipelines.ingest.formats.decoding import decode
from pipelines.ingest.formats.foreign import blamed_on_file
from pipelines.ingest.formats.mail.attached import Attached, Room
from pipelines.ingest.formats.mail.eml import HEADERS, MIN_PICTURE_BYTES, charset, header_text
from pipelines.ingest.formats.mail.letter import MAX_DEPTH, Letter, extraction
from pipelines.ingest.formats.text import text_elements
from schemas.errors.files import Bomb, Damaged
from schemas.errors.uploads import TypeMismatch, UnsupportedType

MAX_STREAM_BYTES = 256 << 20
MAX_FOLDERS = 2_000

# Property numbers of [MS-OXPROPS].
_SUBJECT, _BODY, _HTML, _RTF, _HEADERS = 0x0037, 0x1000, 0x1013, 0x1009, 0x007D
_SENDER_NAME, _SENDER_SMTP, _SENDER_ADDRESS, _TO, _CC = 0x0C1A, 0x5D01, 0x0C1F, 0x0E04, 0x0E03
_SENT, _DELIVERED, _CODEPAGE, _HTML_CODEPAGE = 0x0039, 0x0E06, 0x3FFD, 0x3FDE
_FILE, _LONG_FILE, _SHOWN, _DATA, _MIME, _CONTENT_ID, _HIDDEN = 0x3704, 0x3707, 0x3001, 0x3701, 0x370E, 0x3712, 0x7FFE
_TEXT, _UNICODE, _BINARY, _FOLDER = "001E", "001F", "0102", "000D"
_PROPERTIES = "__properties_version1.0"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def read(data: bytes) -> Extraction:
    """Return a mail's headers, text and attachments; its title is the subject. Raises Damaged, TypeMismatch."""
    return read_within(data, Room())


def read_within(data: bytes, room: Room) -> Extraction:
    """Return a mail that is attached to another, whose attachments share `room`. Raises Damaged, TypeMismatch."""
    with blamed_on_file():
        ole = olefile.OleFileIO(io.BytesIO(data))
    with closing(ole):
        if not ole.exists(_PROPERTIES):
            raise TypeMismatch("The file is not an Outlook message.")
        try:
            with blamed_on_file():
                found = _letter(_Folder(ole, ()), 32, 1)
            return extraction(found, room)
        except RecursionError as error:
            raise Damaged("The mail is nested too deeply.") from error


class _Folder:
    """A folder of an OLE file that holds properties: a message, a recipient or an attachment."""

    def __init__(self, ole: olefile.OleFileIO, path: tuple[str, ...]) -> None:
        self._ole, self._path = ole, path

    def bytes_of(self, number: int, kind: str = _BINARY) -> bytes | None:
        """Return a property that has a stream of its own, None if there is none. Raises Bomb."""
        return self._stream(f"__substg1.0_{number:04X}{kind}")

    def text(self, number: int, encoding: str | None = None) -> str:
        """Return a property's text, '' if there is none."""
        if wide := self.bytes_of(number, _UNICODE):
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        narrow = self.bytes_of(number, _TEXT)
        return decode(narrow.rstrip(b"\0"), encoding) if narrow else ""

    def fixed(self, header_bytes: int) -> dict[int, bytes]:
        """Return the properties of fixed size: eight bytes each, by number."""
        stream = self._stream(_PROPERTIES) or b""
        whole = stream[header_bytes : header_bytes + (len(stream) - header_bytes) // 16 * 16]
        return {number: value for _, number, _, value in struct.iter_unpack("<HHI8s", whole)}

    def inner(self, number: int) -> "_Folder | None":
        """Return the message that a property is, None if it is none."""
        path = (*self._path, f"__substg1.0_{number:04X}{_FOLDER}")
        return _Folder(self._ole, path) if self._ole.exists(list(path)) else None

    def attachments(self) -> Iterator["_Folder"]:
        """Yield the folders of the attachments, in order."""
        depth = len(self._path)
        named = {
            tuple(path[: depth + 1])
            for path in self._ole.listdir(streams=True, storages=True)
            if len(path) > depth
            and tuple(path[:depth]) == self._path
            and path[depth].lower().startswith("__attach_version1.0_#")
        }
        for path in sorted(named)[:MAX_FOLDERS]:
            yield _Folder(self._ole, path)

    def _stream(self, name: str) -> bytes | None:
        path = [*self._path, name]
        if not self._ole.exists(path) or self._ole.get_type(path) != olefile.STGTY_STREAM:
            return None
        if self._ole.get_size(path) > MAX_STREAM_BYTES:
            raise Bomb()
        with self._ole.openstream(path) as stream:
            return bytes(stream.read())


def _letter(folder: _Folder, header_bytes: int, depth: int) -> Letter:
    """Return a message; that of the file begins its properties after 32 bytes, one in another after 24."""
    fixed = folder.fixed(header_bytes)
    encoding = _encoding(fixed, _CODEPAGE)
    subject = one_line(folder.text(_SUBJECT, encoding))
    body = tuple(_body(folder, encoding, _encoding(fixed, _HTML_CODEPAGE)))
    attached = tuple(_attached(folder, encoding, depth))
    return Letter(subject, _headers(folder, fixed, encoding, subject), body, attached)


def _headers(folder: _Folder, fixed: dict[int, bytes], encoding: str | None, subject: str) -> Sequence[tuple[str, str]]:
    """Return the headers with which the mail travelled, or what Outlook knows of them."""
    sent = HeaderParser().parsestr(folder.text(_HEADERS, encoding))
    name = folder.text(_SENDER_NAME, encoding)
    address = folder.text(_SENDER_SMTP, encoding) or folder.text(_SENDER_ADDRESS, encoding)
    known = {
        "From": f"{name} <{address}>" if name and "@" in address and name != address else name or address,
        "To": folder.text(_TO, encoding),
        "Cc": folder.text(_CC, encoding),
        "Date": _date(fixed),
        "Subject": subject,
    }
    return [(name, header_text(str(sent.get(name) or "")) or known[name]) for name in HEADERS]


def _date(fixed: dict[int, bytes]) -> str:
    stamp = int.from_bytes(fixed.get(_SENT) or fixed.get(_DELIVERED) or b"", "little")
    try:
        return format_datetime(_EPOCH + timedelta(microseconds=stamp // 10)) if stamp else ""
    except (OverflowError, ValueError):
        return ""


def _encoding(fixed: dict[int, bytes], number: int) -> str | None:
    page = int.from_bytes(fixed.get(number, b"")[:4], "little")
    known = {65001: "utf-8", 20127: "ascii", 28591: "iso-8859-1", 28592: "iso-8859-2", 50220: "iso2022_jp"}
    return charset(known.get(page, f"cp{page}"))


def _body(folder: _Folder, encoding: str | None, html_encoding: str | None) -> Iterator[Element]:
    """Yield the text: the plain one, else that of the page, else that of the rich text."""
    plain = folder.text(_BODY, encoding)
    if plain.strip():
        yield from text_elements(plain)
    elif page := folder.bytes_of(_HTML):
        yield from (html.from_markup(decode(page, html_encoding)) if html_encoding else html.read(page)).elements
    elif markup := folder.text(_HTML, encoding):
        yield from html.from_markup(markup).elements
    elif packed := folder.bytes_of(_RTF):
        yield from _rich(packed)


def _rich(packed: bytes) -> Sequence[Element]:
    from compressed_rtf import decompress  # Only mails that come without any other text need it.

    with blamed_on_file():
        found: Extraction = import_module(READERS["rtf"].module).read(decompress(packed))
    return found.elements


def _attached(folder: _Folder, encoding: str | None, depth: int) -> Iterator[Attached | Letter]:
    for item in folder.attachments():
        mime = item.text(_MIME, encoding).strip().lower()
        name = next(filter(None, (item.text(n, encoding) for n in (_LONG_FILE, _FILE, _SHOWN))), "")
        if (inner := item.inner(_DATA)) is not None:
            # Deeper ones are named, not read: a chain of them would be parsed for nothing.
            yield _letter(inner, 24, depth + 1) if depth < MAX_DEPTH else Attached(name, _too_deep)
        elif not _is_decoration(item, mime or name.lower()):
            yield Attached(name or "without a name", partial(_data, item), mime)


def _is_decoration(item: _Folder, kind: str) -> bool:
    """Tell whether a small picture stands within the text."""
    if not kind.startswith("image/") and not kind.endswith((".png", ".gif", ".jpg", ".jpeg", ".bmp")):
        return False
    inline = bool(item.bytes_of(_CONTENT_ID, _UNICODE) or item.bytes_of(_CONTENT_ID, _TEXT))
    hidden = any(item.fixed(8).get(_HIDDEN, b""))
    return (inline or hidden) and len(item.bytes_of(_DATA) or b"") < MIN_PICTURE_BYTES


def _data(item: _Folder) -> bytes:
    with blamed_on_file():
        found = item.bytes_of(_DATA)
    if found is None:
        raise UnsupportedType("It is only linked from the mail, or embedded in a way that is not known here.")
    return found


def _too_deep() -> bytes:
    raise UnsupportedType(f"Mails are nested more than {MAX_DEPTH} deep.")
