"""What a file really is, decided at the door from its name and its first bytes.

This runs in the web process, so nothing here opens a document; a worker does that later.
A further format is a row in `file_types.TYPES` and one in `extract.READERS`.
"""

import mimetypes
import re
import unicodedata
from pathlib import PurePosixPath

import filetype

from pipelines.ingest.file_types import BOMS, OLE, TYPES, ZIP, FileType, is_html
from schemas.errors.uploads import EmptyFile, TypeMismatch, UnsupportedType

HEAD_BYTES = 8192
"""How much of a file's beginning `file_type` wants to see; its end may be given in the same amount."""

MAX_NAME_CHARS = 255

_SIGNATURES = (b"%PDF-", ZIP, OLE)
# The built-in table only: the answer must not depend on the machine's mime.types.
_KNOWN_ELSEWHERE = mimetypes.MimeTypes(())
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b") | {0x7F}
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(?=\.|$)", re.IGNORECASE)


def file_type(filename: str, head: bytes, tail: bytes = b"") -> str:
    """Return the name in `TYPES` of a file called `filename` that begins with `head` and ends with `tail`.

    The content decides between binary formats, the suffix between plain-text ones; HTML called .txt
    is HTML. A name without a suffix, or with one that means nothing, leaves it to the content.
    Raises EmptyFile, UnsupportedType, or TypeMismatch where the name promises something else.
    """
    if not head:
        raise EmptyFile()
    suffix = PurePosixPath(filename).suffix.lower()
    named = next((t for t in TYPES if suffix in t.suffixes), None)
    found = [t for t in TYPES if t.matches and t.matches(head, tail)]
    if named is None:
        return _by_content(suffix, next(iter(found), None), head)
    if named.matches and not named.markup:
        return _confirmed(named, found, suffix, head)
    if head.lstrip().startswith(_SIGNATURES) or not is_text(head):
        raise TypeMismatch(f"The name ends in {suffix}, but the content is not text.")
    return "html" if named.name == "txt" and is_html(head, tail) else named.name


def by_mime(content_type: str) -> str | None:
    """Return the suffix, as `.pdf`, of files that are sent as this content type; None if it tells nothing.

    Parameters and case do not matter.
    """
    mime = content_type.partition(";")[0].strip().lower()
    return next((t.suffixes[0] for t in TYPES if mime in t.mimes), None)


def is_text(head: bytes) -> bool:
    """Tell whether a file that begins with `head` can be text in any common encoding.

    UTF-16 and UTF-32 are known by their mark or by their zeros; elsewhere text may hold a few stray
    control bytes, but not together with the signature of a binary format.
    """
    if head.startswith(BOMS[1:]) or _is_wide(head):
        return True
    strange = sum(head.count(code) for code in _CONTROLS)
    if strange == 0:
        return True
    return strange <= len(head) // 10 and filetype.guess(head) is None


def safe_filename(raw: str) -> str:
    """Return `raw` as a name that is safe to store, show, log and send in a header; never empty.

    Folders, control and invisible characters (line ends, bidi overrides), the characters and names
    that Windows reserves are gone; at most 255 characters, the suffix kept.
    """
    name = unicodedata.normalize("NFC", raw).replace("\\", "/").rsplit("/", 1)[-1]
    # Categories Cc, Cf, Cs, Co, Cn: controls, invisible formatting, surrogates, unassigned.
    name = "".join(" " if c in "\r\n\t" else c for c in name if c in "\r\n\t" or unicodedata.category(c)[0] != "C")
    name = " ".join(re.sub(r'[<>:"|?*]', "_", name).split()).rstrip(". ")
    stem, dot, suffix = name.rpartition(".")
    if dot and not stem.strip(". "):
        name = f"document.{suffix}"
    name = name.lstrip(". ") or "document"
    if _RESERVED.match(name):
        name = f"_{name}"
    suffix = PurePosixPath(name).suffix[: MAX_NAME_CHARS // 4]
    return name if len(name) <= MAX_NAME_CHARS else name[: MAX_NAME_CHARS - len(suffix)].rstrip(". ") + suffix


def _confirmed(named: FileType, found: list[FileType], suffix: str, head: bytes) -> str:
    """Return the type of a file of a binary format's name, of which its content may be any in `found`."""
    # What can pass for a PDF too is refused: some reader would take it for the other.
    # An OLE file may hold one, which no reader takes for the whole.
    polyglot = named.name != "pdf" and not head.startswith(OLE) and any(t.name == "pdf" for t in found)
    if named in found and not polyglot:
        return named.name
    other = next((t.name for t in found if t.name in named.also), None)
    if other is None or polyglot:
        raise TypeMismatch(f"The name ends in {suffix}, but the content is not {named.name.upper()}.")
    return other


def _by_content(suffix: str, found: FileType | None, head: bytes) -> str:
    """Return the type of a file whose suffix is none of ours."""
    if _KNOWN_ELSEWHERE.guess_type(f"file{suffix}", strict=False)[0]:
        raise UnsupportedType(f"{suffix} files cannot be read. Send one of: {_offered()}.")
    if found and not head.startswith(OLE):
        return found.name
    if suffix == "" and is_text(head):
        return "txt"
    raise UnsupportedType(f"Files of this kind cannot be read. Send one of: {_offered()}.")


def _offered() -> str:
    """Return the suffixes that are read, by group: `documents (.pdf, .docx), sheets (.csv)`."""
    groups = dict.fromkeys(t.group for t in TYPES)
    shown = ((group, ", ".join(t.suffixes[0] for t in TYPES if t.group == group)) for group in groups)
    return ", ".join(f"{group} ({suffixes})" for group, suffixes in shown)


def _is_wide(head: bytes) -> bool:
    """Tell whether `head` looks like UTF-16 or UTF-32 without a mark: zeros at regular places only."""
    if len(head) < 4 or not 0.2 < head.count(0) / len(head) < 0.8:
        return False
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return min(even, odd) * 20 < max(even, odd) or head.count(0) / len(head) > 0.7
