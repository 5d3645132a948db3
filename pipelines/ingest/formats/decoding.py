"""Bytes of text files as text, whatever they were written in."""

import codecs
import re

from schemas.errors.files import Damaged

GUESSED_BYTES = 65_536
"""How much of a file its encoding is guessed from."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MIN_SHARE_OF_ZEROS = 0.2
_MIN_HIGH_BYTES = 6
"""Fewer bytes beyond ASCII than this tell nothing: then it is the encoding of most such files."""

_LATIN = re.compile(
    r"(?:cp(?:1250|1252|1254|1257|437|775|85\d|86\d|500|037|273|1026|1140)|latin"
    r"|iso8859_(?:1|2|3|4|9|10|13|14|15|16)|mac_(?!cyr|gre)|hp_roman|ascii)",
    re.IGNORECASE,
)
# Signs that no Western word has in its middle: the text was not written in cp1252.
_ODD = re.compile(r"[^\W\d_][¡-©«-¬®-´¶¸-¹»-¿ŒœƒˆŽžŠšŸ†‡‰][^\W\d_]")
_C1 = re.compile("[\x80-\x9f]")
_TWICE = re.compile("[\xc2-\xf4][\x80-\xbf]{1,3}")
# Half-width kana, and Arabic letters in the shapes that they have at each place of a word.
_UNLIKELY = re.compile("[\uff61-\uff9f\ufb50-\ufdff\ufe70-\ufefc]")
_EUC_JP_KANA = re.compile(rb"[\xa4\xa5][\xa1-\xf6]")


def decode(data: bytes, declared: str | None = None) -> str:
    """Return the text in `data`: by its mark, its `declared` encoding, as UTF-8, or as a guess.

    A file that turns out to be UTF-8 for all but a few bytes is read as UTF-8. Raises Damaged where
    the bytes are no text at all.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if wide := _wide(data):
        return data.decode(wide, "replace")
    # ISO-2022-JP is all ASCII and would pass for UTF-8; its escapes give it away.
    japanese = "iso2022_jp" if b"\x1b$" in data[:GUESSED_BYTES] else None
    for name in filter(None, (japanese, declared, "utf-8")):
        try:
            return _mended(data.decode(name))
        except (UnicodeDecodeError, LookupError):
            continue
    return _guessed(data)


def _mended(text: str) -> str:
    """Return `text` with UTF-8 that was once read as Latin-1 put right; the controls in it give it away."""
    return _TWICE.sub(_read_again, text) if _C1.search(text) else text


def _read_again(match: re.Match[str]) -> str:
    try:
        return match.group().encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return match.group()


def _wide(data: bytes) -> str | None:
    """Return the UTF-16 or UTF-32 that `data` without a mark is in, told by where its zeros are."""
    head = data[: GUESSED_BYTES - GUESSED_BYTES % 4]
    if len(head) < 4 or head.count(0) < _MIN_SHARE_OF_ZEROS * len(head):
        return None
    zeros = [head[i::4].count(0) * 4 / len(head) for i in range(4)]
    if zeros[1] > 0.7 and zeros[2] > 0.9 and zeros[3] > 0.9:
        return "utf-32-le"
    if zeros[0] > 0.9 and zeros[1] > 0.9 and zeros[2] > 0.7:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if min(even, odd) > 0.2 * max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _guessed(data: bytes) -> str:
    head = data[:GUESSED_BYTES]
    high = sum(byte > 127 for byte in head)
    if head.decode("utf-8", "replace").count("\ufffd") * 50 < high:
        return data.decode("utf-8", "replace")
    western = head.decode("cp1252", "replace")
    if high < _MIN_HIGH_BYTES and not _ODD.search(western) and b"\0" not in head:
        return data.decode("cp1252", "replace")
    # Most text files are UTF-8; the rest pay 20 ms for the detector.
    from charset_normalizer import from_bytes

    names = [match.encoding for match in from_bytes(head) if not _is_unlikely(str(match))]
    if not names:
        if b"\0" in head.strip(b"\0"):
            raise Damaged("The file is not text in any known encoding.")
        return data.decode("cp1252", "replace")
    name = names[0]
    if _LATIN.match(name):
        name = name if len(_ODD.findall(western)) > len(western) // 500 else "cp1252"
    elif len(_EUC_JP_KANA.findall(head)) * 10 > len(head):
        name = "euc_jp"
    return data.decode(name, "replace")


def _is_unlikely(text: str) -> bool:
    """Tell whether text is full of forms that are in old code pages but that nobody writes."""
    return len(_UNLIKELY.findall(text)) * 20 > len(text)
