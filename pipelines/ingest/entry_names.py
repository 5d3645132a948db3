"""Names of files in archives: read in the encoding they were written in, and safe to show and store."""

import re
import unicodedata
from collections.abc import Sequence

from pipelines.ingest.clean import one_line
from pipelines.ingest.sniff import safe_filename
from schemas.errors.files import UnsafeEntry

MAX_FOLDER_CHARS = 500

_DRIVE = re.compile(r"[A-Za-z]:")
_IGNORED = frozenset({".ds_store", "thumbs.db", "desktop.ini", "__macosx", ".localized"})
# Resource forks of macOS and lock files of Office, beside the documents they belong to.
_IGNORED_PREFIXES = ("._", "~$")
_WORD_JOINT = re.compile(r"[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]")


def encoding_of(names: Sequence[bytes]) -> str:
    """Return the encoding of names that do not say theirs: UTF-8, Shift-JIS, or the one of DOS.

    All names of an archive were written by one program, and together they tell more than each.
    """
    joined = b"\n".join(name for name in names if not name.isascii())
    for encoding in ("utf-8", "cp932"):
        try:
            text = joined.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or _is_japanese(text):
            return encoding
    return "cp437"


def folder_and_name(path: str) -> tuple[str, str]:
    """Return a path's folder, as text for display, and its last part as a safe file name.

    Raises UnsafeEntry where the path is absolute, names a drive or leads upwards.
    """
    path = path.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith("/") or _DRIVE.match(path) or ".." in parts:
        raise UnsafeEntry("The path of this file leads out of the archive.")
    folder = "/".join(filter(None, map(one_line, parts[:-1])))
    return folder[:MAX_FOLDER_CHARS], safe_filename(parts[-1] if parts else "")


def is_ignored(path: str) -> bool:
    """Tell whether a path leads to what systems leave behind beside documents."""
    parts = path.replace("\\", "/").lower().split("/")
    return any(part in _IGNORED for part in parts) or parts[-1].startswith(_IGNORED_PREFIXES)


def _is_japanese(text: str) -> bool:
    """Tell whether text that decodes as Shift-JIS was written in it: Western letters decode to stray signs."""
    wide = [char for char in text if not char.isascii()]
    named = [unicodedata.name(char, "") for char in wide]
    known = sum(name.startswith(("HIRAGANA", "KATAKANA", "CJK UNIFIED", "FULLWIDTH", "IDEOGRAPHIC")) for name in named)
    if known < 0.9 * len(wide):
        return False
    return any(name.startswith(("HIRAGANA", "KATAKANA")) for name in named) or not _WORD_JOINT.search(text)
