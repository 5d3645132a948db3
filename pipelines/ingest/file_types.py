"""The kinds of files that can be read: a row each. What reads them is a row in `extract.READERS`."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.ingest import signatures

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ZIP = b"PK\x03\x04"
BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# The comments before the first tag are an atomic group: no head can make the match backtrack.
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?>(?:<!--.*?-->\s*)*)<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class FileType:
    """A kind of file that can be read. `matches` knows it by its (head, tail); None if it is plain text."""

    name: str
    suffixes: tuple[str, ...]
    matches: Callable[[bytes, bytes], bool] | None = None
    markup: bool = False
    """Whether it is text that is also known by its beginning, so that a text suffix may carry it."""

    group: str = "others"
    """Among which kinds it is named to who sent something else."""

    mimes: tuple[str, ...] = ()
    """Content types, the first one its own."""

    also: tuple[str, ...] = ()
    """Types that files of this name often are in truth, and that their own programs open without a word."""


def _is_pdf(head: bytes, tail: bytes) -> bool:
    # Readers accept a header anywhere in the first kilobyte.
    return b"%PDF-" in head[:1024]


def _is_rtf(head: bytes, tail: bytes) -> bool:
    return _without_bom(head).lstrip().startswith(b"{\\rtf")


def is_html(head: bytes, tail: bytes) -> bool:
    """Tell whether a file that begins with `head` is a page of HTML."""
    return bool(_HTML.match(_without_bom(head)))


def _is_old(head: bytes, tail: bytes) -> bool:
    # DOC, XLS, PPT and MSG begin alike and their directory may be anywhere: a worker looks.
    return head.startswith(OLE)


def _is_ooxml(folder: bytes) -> Callable[[bytes, bytes], bool]:
    """Return what knows an archive whose parts lie in `folder`, or one that a password locks (an OLE file)."""

    def matches(head: bytes, tail: bytes) -> bool:
        return _is_old(head, tail) or (head.startswith(ZIP) and folder in head + tail)

    return matches


def _has_mimetype(kind: bytes, sign: bytes) -> Callable[[bytes, bytes], bool]:
    """Return what knows an archive whose first part, `mimetype`, begins with `kind`, or that has none but a `sign`."""

    def matches(head: bytes, tail: bytes) -> bool:
        if not head.startswith(ZIP):
            return False
        return b"mimetype" + kind in head[:512] if b"mimetypeapplication/" in head[:512] else sign in head + tail

    return matches


def _without_bom(head: bytes) -> bytes:
    for bom in BOMS[1:]:
        if head.startswith(bom):
            return head[len(bom) :].replace(b"\0", b"")
    return head.removeprefix(codecs.BOM_UTF8)


_MS, _OOXML, _ODF = "application/vnd.ms-", "application/vnd.openxmlformats-officedocument.", "application/vnd.oasis."
_WORD, _SLIDES, _SHEET = f"{_OOXML}wordprocessingml.", f"{_OOXML}presentationml.", f"{_OOXML}spreadsheetml."

_PICTURES = ("png", "jpeg", "tiff", "webp", "bmp", "gif")
_SOUNDS = ("wav", "mp3", "m4a", "ogg", "flac", "webm", "aac")

TYPES = (
    FileType("pdf", (".pdf",), _is_pdf, group="documents", mimes=("application/pdf", "application/x-pdf")),
    FileType(
        "docx",
        (".docx", ".docm", ".dotx", ".dotm"),
        _is_ooxml(b"word/"),
        group="documents",
        mimes=(f"{_WORD}document", f"{_WORD}template", f"{_MS}word.document.macroenabled.12"),
        also=("rtf",),
    ),
    FileType(
        "doc", (".doc", ".dot"), _is_old, group="documents", mimes=("application/msword",), also=("docx", "rtf", "html")
    ),
    FileType(
        "odt",
        (".odt", ".ott"),
        _has_mimetype(b"application/vnd.oasis.opendocument.text", b"META-INF/manifest.xml"),
        group="documents",
        mimes=(f"{_ODF}opendocument.text", f"{_ODF}opendocument.text-template"),
    ),
    FileType("rtf", (".rtf",), _is_rtf, group="documents", mimes=("application/rtf", "text/rtf", "text/richtext")),
    FileType(
        "epub",
        (".epub",),
        _has_mimetype(b"application/epub+zip", b"META-INF/container.xml"),
        group="documents",
        mimes=("application/epub+zip",),
    ),
    FileType(
        "pptx",
        (".pptx", ".pptm", ".ppsx", ".ppsm", ".potx"),
        _is_ooxml(b"ppt/"),
        group="slides",
        mimes=(
            f"{_SLIDES}presentation",
            f"{_SLIDES}slideshow",
            f"{_SLIDES}template",
            f"{_MS}powerpoint.presentation.macroenabled.12",
        ),
    ),
    FileType("ppt", (".ppt", ".pps", ".pot"), _is_old, group="slides", mimes=(f"{_MS}powerpoint",), also=("pptx",)),
    FileType(
        "xlsx",
        (".xlsx", ".xlsm", ".xltx", ".xltm"),
        _is_ooxml(b"xl/"),
        group="sheets",
        mimes=(f"{_SHEET}sheet", f"{_SHEET}template", f"{_MS}excel.sheet.macroenabled.12"),
    ),
    FileType(
        "xls",
        (".xls", ".xlt"),
        _is_old,
        group="sheets",
        mimes=(f"{_MS}excel", "application/msexcel"),
        also=("xlsx", "html"),
    ),
    FileType(
        "ods",
        (".ods", ".ots"),
        _has_mimetype(b"application/vnd.oasis.opendocument.spreadsheet", b"META-INF/manifest.xml"),
        group="sheets",
        mimes=(f"{_ODF}opendocument.spreadsheet", f"{_ODF}opendocument.spreadsheet-template"),
    ),
    FileType("csv", (".csv",), group="sheets", mimes=("text/csv", "application/csv", "text/comma-separated-values")),
    FileType("tsv", (".tsv", ".tab"), group="sheets", mimes=("text/tab-separated-values",)),
    FileType(
        "html",
        (".html", ".htm", ".xhtml"),
        is_html,
        markup=True,
        group="text",
        mimes=("text/html", "application/xhtml+xml"),
    ),
    FileType("md", (".md", ".markdown", ".mdown"), group="text", mimes=("text/markdown", "text/x-markdown")),
    FileType("json", (".json",), group="text", mimes=("application/json", "text/json")),
    FileType(
        "ndjson",
        (".ndjson", ".jsonl"),
        group="text",
        mimes=("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"),
    ),
    FileType("txt", (".txt", ".text", ".log"), group="text", mimes=("text/plain",)),
    FileType("eml", (".eml",), group="mails", mimes=("message/rfc822",)),
    FileType("msg", (".msg",), _is_old, group="mails", mimes=(f"{_MS}outlook",)),
    FileType(
        "png",
        (".png",),
        signatures.begins(b"\x89PNG\r\n\x1a\n"),
        group="pictures",
        mimes=("image/png",),
        also=_PICTURES,
    ),
    FileType(
        "jpeg",
        (".jpg", ".jpeg", ".jpe", ".jfif"),
        signatures.begins(b"\xff\xd8\xff"),
        group="pictures",
        mimes=("image/jpeg", "image/jpg", "image/pjpeg"),
        also=_PICTURES,
    ),
    FileType(
        "tiff",
        (".tiff", ".tif"),
        signatures.begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        group="pictures",
        mimes=("image/tiff",),
        also=_PICTURES,
    ),
    FileType("webp", (".webp",), signatures.is_webp, group="pictures", mimes=("image/webp",), also=_PICTURES),
    FileType("bmp", (".bmp", ".dib"), signatures.is_bmp, group="pictures", mimes=("image/bmp",), also=_PICTURES),
    FileType(
        "gif",
        (".gif",),
        signatures.begins(b"GIF87a", b"GIF89a"),
        group="pictures",
        mimes=("image/gif",),
        also=_PICTURES,
    ),
    FileType(
        "wav",
        (".wav", ".wave"),
        signatures.is_wav,
        group="recordings",
        mimes=("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
        also=_SOUNDS,
    ),
    FileType(
        "mp3",
        (".mp3", ".mp2", ".mpga"),
        signatures.is_mp3,
        group="recordings",
        mimes=("audio/mpeg", "audio/mp3"),
        also=_SOUNDS,
    ),
    FileType(
        "m4a",
        (".m4a", ".mp4", ".m4b", ".m4v", ".mov"),
        signatures.is_mp4,
        group="recordings",
        mimes=("audio/mp4", "audio/x-m4a", "audio/m4a", "video/mp4", "video/quicktime"),
        also=_SOUNDS,
    ),
    FileType(
        "ogg",
        (".ogg", ".oga", ".opus", ".ogv"),
        signatures.begins(b"OggS"),
        group="recordings",
        mimes=("audio/ogg", "audio/opus", "application/ogg", "video/ogg"),
        also=_SOUNDS,
    ),
    FileType(
        "flac",
        (".flac",),
        signatures.begins(b"fLaC"),
        group="recordings",
        mimes=("audio/flac", "audio/x-flac"),
        also=_SOUNDS,
    ),
    FileType(
        "webm",
        (".webm", ".weba", ".mkv", ".mka"),
        signatures.begins(b"\x1a\x45\xdf\xa3"),
        group="recordings",
        mimes=("audio/webm", "video/webm", "audio/x-matroska", "video/x-matroska"),
        also=_SOUNDS,
    ),
    FileType(
        "aac",
        (".aac",),
        signatures.is_aac,
        group="recordings",
        mimes=("audio/aac", "audio/aacp", "audio/x-aac"),
        also=_SOUNDS,
    ),
)

RECORDINGS = frozenset(t.name for t in TYPES if t.group == "recordings")
"""Types that are heard rather than read: see `recording` and `listen`."""
