"""EML: mails as they travel (RFC 5322, MIME)."""

import codecs
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesFeedParser
from email.policy import Compat32
from email.utils import collapse_rfc2231_value
from functools import partial
from typing import Any, TypeAlias

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats import html
from pipelines.ingest.formats.decoding import decode
from pipelines.ingest.formats.foreign import blamed_on_file
from pipelines.ingest.formats.mail.attached import Attached, Room
from pipelines.ingest.formats.mail.letter import MAX_HEADER_CHARS, Letter, extraction
from pipelines.ingest.formats.text import text_elements
from schemas.errors.files import Damaged, Encrypted
from schemas.errors.uploads import UnsupportedType

HEADERS = ("From", "To", "Cc", "Date", "Subject")
MAX_PARTS = 1_000
MIN_PICTURE_BYTES = 100_000
"""A smaller picture within the text is decoration and left out."""

_FED_BYTES = 1 << 16
_SIGNATURES = {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
_SEALED = {"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"}
# Not encodings of letters, and two of them can take very long.
_NO_CHARSETS = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}

_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")

Part: TypeAlias = Message


class _AsWritten(Compat32):
    """Gives headers as they stand in the file; their bytes beyond ASCII are surrogates."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


def read(data: bytes) -> Extraction:
    """Return a mail's headers, text and attachments; its title is the subject. Raises Damaged."""
    return read_within(data, Room())


def read_within(data: bytes, room: Room) -> Extraction:
    """Return a mail that is attached to another, whose attachments share `room`. Raises Damaged."""
    try:
        return extraction(letter(data), room)
    except RecursionError as error:
        raise Damaged("The mail is nested too deeply.") from error


def letter(data: bytes) -> Letter:
    """Return a mail. Raises Damaged."""
    with blamed_on_file():
        # Fed in pieces: the parser's own way to take it whole holds five times its size.
        parser = BytesFeedParser(policy=_AsWritten())
        for start in range(0, len(data), _FED_BYTES):
            parser.feed(data[start : start + _FED_BYTES])
        return _letter(parser.close())


def header_text(value: str) -> str:
    """Return a header as it is meant: encoded words (RFC 2047), and bytes in whatever encoding they are."""
    value = value[: 8 * MAX_HEADER_CHARS]
    if "=?" in value:
        with suppress(HeaderParseError, ValueError):
            pieces = decode_header(value)
            value = "".join(piece if isinstance(piece, str) else _decoded(piece, name) for piece, name in pieces)
    return one_line(_healed(value))


def _letter(message: Part) -> Letter:
    found = _Parts()
    found.walk(message)
    headers = [(name, header_text(str(message.get(name, "")))) for name in HEADERS]
    return Letter(dict(headers)["Subject"], headers, tuple(found.body), tuple(found.attached))


class _Parts:
    """A mail's parts, sorted into text and attachments."""

    def __init__(self) -> None:
        self.body: list[Element] = []
        self.attached: list[Attached | Letter] = []
        self._left = MAX_PARTS

    def walk(self, part: Part, within: str = "") -> None:
        """Sort a part and those in it; `within` is the type of multipart that it is in."""
        self._left -= 1
        if self._left < 0:
            raise Damaged(f"The mail has more than {MAX_PARTS} parts.")
        kind = part.get_content_type()
        # Only asked for where it is a list: a text would be decoded, by whatever charset it names.
        inner: Any = part.get_payload() if part.is_multipart() else None
        if kind == "message/rfc822" and isinstance(inner, list) and inner:
            self.attached.append(_letter(inner[0]))
        elif kind == "multipart/alternative" and isinstance(inner, list):
            self._best(inner)
        elif isinstance(inner, list):
            for i, one in enumerate(inner):
                self.walk(one, "related" if kind == "multipart/related" and i else kind)
        elif kind in _SIGNATURES:
            return
        elif kind in {"text/plain", "text/html"} and not _is_file(part):
            self.body += _text(part)
        elif not self._is_decoration(part, kind, within):
            self.attached.append(_attached(part, kind))

    def _best(self, versions: Sequence[Part]) -> None:
        """Take the best version of a text: the plain one, unless it is only a word of excuse for lacking the other."""
        tried: list[_Parts] = []
        for version in versions:
            one = _Parts()
            one._left = self._left
            one.walk(version, "alternative")
            self._left = one._left
            tried.append(one)
        best = max(tried, key=lambda one: _letters(one.body), default=None)
        plain = next(
            (one for one, v in zip(tried, versions, strict=True) if v.get_content_type() == "text/plain"), None
        )
        if plain and best and _letters(plain.body) * 4 >= _letters(best.body) > 0:
            self.body += plain.body
        elif best:
            self.body += best.body
        kept = [item for one in tried for item in one.attached]
        # An invitation is one more version of the text; only what is a file of its own is attached.
        self.attached += [item for item in kept if not (isinstance(item, Attached) and item.mime == "text/calendar")]

    def _is_decoration(self, part: Part, kind: str, within: str) -> bool:
        if not kind.startswith("image/") or part.get_content_disposition() == "attachment":
            return False
        inline = within == "related" or part.get("Content-ID") or part.get_content_disposition() == "inline"
        return bool(inline) and len(_payload(part)) < MIN_PICTURE_BYTES


def _text(part: Part) -> Iterator[Element]:
    data = _payload(part)
    declared = charset(str(part.get_content_charset() or ""))
    if part.get_content_type() == "text/html":
        yield from (html.from_markup(decode(data, declared)) if declared else html.read(data)).elements
    else:
        yield from text_elements(decode(data, declared))


def _attached(part: Part, kind: str) -> Attached:
    name = _filename(part)
    if kind in _SEALED:
        return Attached(name or "sealed message", _sealed, kind)
    if kind == "application/ms-tnef" or name.lower() == "winmail.dat":
        return Attached(name or "winmail.dat", _outlooks_own, kind)
    return Attached(name or "without a name", partial(_payload, part), kind)


def _sealed() -> bytes:
    raise Encrypted("The message is encrypted or sealed for its recipient.")


def _outlooks_own() -> bytes:
    raise UnsupportedType("It is in a format that only Outlook reads (TNEF).")


def _payload(part: Part) -> bytes:
    with blamed_on_file():
        data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _is_file(part: Part) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_filename(part))


def _filename(part: Part) -> str:
    """Return a part's file name, by RFC 2231, by RFC 2047 as many write it, or as bare bytes; '' if it has none."""
    for parameter, name in (("filename", "Content-Disposition"), ("name", "Content-Type")):
        try:
            found = part.get_param(parameter, None, name)
            value = collapse_rfc2231_value(found).strip() if found is not None else ""
        except (ValueError, LookupError, TypeError, IndexError):
            continue
        if value:
            return header_text(value)
    return ""


def _healed(value: str) -> str:
    """Return text whose surrogates stand for bytes with those bytes decoded."""
    if value.isascii():
        return value
    try:
        return decode(value.encode("utf-8", "surrogateescape"))
    except (UnicodeEncodeError, Damaged):
        return value.encode("utf-8", "replace").decode()


def _decoded(piece: bytes, name: str | None) -> str:
    if name is not None:
        return decode(piece, charset(name))
    # What stands between encoded words comes in Raw-Unicode-Escape, which would take offence at a path.
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), piece.decode("latin-1"))


def charset(name: str) -> str | None:
    """Return a declared charset as Python knows it; None where there is none to be trusted."""
    try:
        found = codecs.lookup(name.partition("*")[0].strip()).name
    except (LookupError, ValueError):
        return None
    return None if found.replace("-", "_") in _NO_CHARSETS else found


def _letters(elements: Sequence[Element]) -> int:
    return sum(len(element.text) for element in elements if element.kind is not Kind.CODE)
