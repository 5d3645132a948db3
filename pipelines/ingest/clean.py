"""Text as every stage after extraction may assume it: NFC, no control or invisible characters."""

import re
import unicodedata

_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_NEWLINES = dict.fromkeys((0x0B, 0x0C, 0x85, 0x2028, 0x2029), "\n")
_SPACES = dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F), " ")
# Symbol and Wingdings keep their bullets in the private use area.
_BULLETS = dict.fromkeys((0xF0B7, 0xF0A7, 0xF0A8, 0xF0D8, 0xF0FC, 0xF076, 0xF0B0), "•")
_REMOVED = dict.fromkeys(
    (
        *(c for c in (*range(0x20), *range(0x7F, 0xA0)) if c not in (0x09, 0x0A, 0x0B, 0x0C, 0x85)),
        0xAD,  # soft hyphen
        0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070),  # bidi control, zero width
        *range(0xD800, 0xE000),  # surrogates, which cannot be stored as UTF-8
        *range(0xFDD0, 0xFDF0), *range(0xFFF9, 0xFFFD), 0xFEFF, 0xFFFE, 0xFFFF,
        *range(0xE0000, 0xE0080),  # tags: text that a person does not see and a model reads
    )
)  # fmt: skip
_TABLE = _REMOVED | _LIGATURES | _NEWLINES | _SPACES | _BULLETS
# Most text has nothing to replace, which is found out much sooner than replaced: nearly all that is has no glyph.
_AS_IT_IS = re.compile(f"[^{''.join(chr(code) for code in _TABLE if chr(code).isprintable())}]*")

_RUNS = re.compile(r"[^\S\n]+")
_AROUND_NEWLINE = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Return `text` in NFC without control, bidi and invisible characters, its layout untouched.

    Zero-width joiners stay, since Persian, Indic scripts and emoji need them; every sort of line end
    becomes `\\n`, every sort of space a plain one, typographic ligatures their letters.
    """
    if text.isprintable() and (text.isascii() or _AS_IT_IS.fullmatch(text)):
        return text if text.isascii() else unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").translate(_TABLE))


def tidy(text: str) -> str:
    """Return `clean(text)` with single spaces, at most one blank line in a row and no space at its ends."""
    spaced = _AROUND_NEWLINE.sub("\n", _RUNS.sub(" ", clean(text)))
    return _BLANK_LINES.sub("\n\n", spaced).strip()


def one_line(text: str) -> str:
    """Return `clean(text)` with all white space, line ends too, as single spaces."""
    cleaned = clean(text)
    # The only white space that has a glyph, so to speak, is the plain space.
    if "  " not in cleaned and cleaned.isprintable():
        return cleaned.strip(" ")
    return " ".join(cleaned.split())
