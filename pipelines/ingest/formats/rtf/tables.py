"""What stands at the head of an RTF: its fonts' code pages, its heading styles, its title."""

import codecs
import re

from pipelines.ingest.clean import one_line

HEAD_BYTES = 4 << 20
_CODE_PAGES = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5hkscs", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 255: "cp437",
}  # fmt: skip
_FONT = re.compile(rb"\{\\f(\d{1,6})\\[^{};]{0,200}?\\fcharset(\d{1,3})")
_STYLE = re.compile(rb"\{\\s(\d{1,6})\\([^{}]{0,2000}?) ?([^{}\\;]{1,100});\}")
_OUTLINE = re.compile(rb"\\outlinelevel([0-8])")
_HEADING = re.compile(r"\bheading (\d)\s*$", re.IGNORECASE)
_TITLE = re.compile(rb"\{\\title ([^{}]{1,1000})\}")
_ESCAPE = re.compile(rb"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,6}) ?\??")


def fonts(data: bytes) -> dict[int, str]:
    """Return the encoding that each font's bytes are in."""
    found = (match.groups() for match in _FONT.finditer(data, 0, HEAD_BYTES))
    return {int(font): _CODE_PAGES.get(int(charset), "") for font, charset in found}


def levels(data: bytes) -> dict[int, int]:
    """Return the heading level of each style that has one."""
    found: dict[int, int] = {}
    for match in _STYLE.finditer(data, 0, HEAD_BYTES):
        style, rules, name = match.groups()
        heading, outline = _HEADING.search(name.decode("latin-1")), _OUTLINE.search(rules)
        if heading or outline:
            found[int(style)] = int(heading.group(1)) or 1 if heading else int(outline.group(1)) + 1 if outline else 1
    return found


def title(data: bytes) -> str:
    """Return the title in the document's properties; nothing if there is none."""
    match = _TITLE.search(data, 0, HEAD_BYTES)
    if not match:
        return ""

    def sign(found: re.Match[bytes]) -> bytes:
        if found.group(1):
            return bytes.fromhex(found.group(1).decode())
        return chr(int(found.group(2)) % 65536).encode("cp1252", "replace")

    return one_line(_ESCAPE.sub(sign, match.group(1)).decode("cp1252", "replace"))


def codec(code_page: int) -> str:
    """Return the name of a code page's codec; nothing if there is none here."""
    name = {10000: "mac_roman", 65001: "utf-8", 936: "gbk", 950: "big5hkscs"}.get(code_page, f"cp{code_page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""
