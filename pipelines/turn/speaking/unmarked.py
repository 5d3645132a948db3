"""Text without what only the eye understands: markup, tables, code, links, markers, pictures. For any language."""

import html
import re
from collections.abc import Iterator, Sequence

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_BLANKS = re.compile("[\u00a0\u2000-\u200a\u202f\u3000\t\x0b\x0c]")
_FENCED = re.compile(r"^[ \t]{0,3}(`{3,6}|~{3,6})[^\n`]*\n(.*?)^[ \t]{0,3}\1[ \t]*$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^[ \t]{0,3}(?:`{3,}|~{3,})[ \t]?\w*[ \t]*$", re.MULTILINE)
SHORT_CODE_CHARS = 60
CODE = "code example"

_TAGS = (
    "a|b|i|u|s|q|p|br|hr|em|strong|code|pre|span|div|ul|ol|li|table|thead|tbody|tr|td|th|h[1-6]|img|sup|sub|small"
    "|blockquote|del|ins|mark|kbd|cite|font|center|section|article|details|summary|speak|break|prosody|emphasis|phoneme"
)
_TAG = re.compile(rf"</?({_TAGS})(?:\s[^<>]{{0,500}})?\s?/?>", re.IGNORECASE)
_ENDS_LINE = ("br", "p", "li", "div", "tr", "hr", "blockquote", "td", "th")
_COMMENT = re.compile(r"<!--[^<>]{0,500}-->")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,500})>", re.IGNORECASE)

_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s\[\]]{0,2000}(?:\s[\"'][^\"'()]{0,200}[\"'])?\)")
_NAMED_LINK = re.compile(r"(?<=\])\[[\w-]{0,40}\]")
_LINK_TARGET = re.compile(r"^[ \t]{0,3}\[[^\[\]\n]{1,100}\]:[ \t]*\S{1,500}.{0,200}$", re.MULTILINE)
_MARKER = re.compile(r"\s?\[\^?\d{1,3}(?:\s?[,–-]\s?\d{1,3}){0,9}\]")
_BRACKETS = re.compile(r"\[([^\[\]]{1,500})\]")
_BOX = re.compile(r"^([ \t]*(?:[-*+•·]|\d{1,3}[.)])[ \t]+)?\[[ xX]\][ \t]", re.MULTILINE)
_LINE_START = re.compile(r"^[ \t]*(?:>[ \t]?(?!\d))*(?:(?:#{1,6}|[-*+•·▪◦‣])[ \t]+)?", re.MULTILINE)
_ITEM_NUMBER = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+(?=\S)", re.MULTILINE)
_HEADING_END = re.compile(r"[ \t]#{1,6}[ \t]*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*([-*_=])(?:[ \t]?\1){2,}[ \t]*$", re.MULTILINE)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKUP = re.compile(r"`+|\*+|~~|(?<!\w)_{1,3}|_{1,3}(?!\w)")
_TIMES = re.compile(r"(?<=\d)[ ]?\*[ ]?(?=\d)")
_LINE_END = re.compile(r"(?<=[^\s.!?:;,…])[ \t]*\n\s*")

_PICTURES = re.compile(
    "[\U0001f000-\U0001faff\U0001fc00-\U0001fffd\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u25a0-\u25ff"
    "\u200d\ufe0e\ufe0f\u20e3\U000e0000-\U000e007f\u2122\u00ae\u00a9]+"
)
_FACE = re.compile(r"(?<!\S)[:;=]['’]?-?[()DPp|](?![^\s.,!?])")
_TICKS = {"✓": "yes", "✔": "yes", "✅": "yes", "☑": "yes", "✗": "no", "✘": "no", "❌": "no", "✕": "no", "❎": "no"}


def unmarked(text: str, numbered: bool = False) -> str:
    """Return `text` as one line of plain words: what stood on lines of its own is set off by commas or full stops.

    Code of more than a line is only named. A table is read row by row, each cell after the head of its column.
    The numbers of list items stay where they are `numbered`: in some languages a line may begin with "3. Mai".
    """
    said = _BLANKS.sub(" ", _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    said = _FENCE.sub("", _FENCED.sub(_code, said))
    said = _AUTOLINK.sub(r"\1", _COMMENT.sub("", said))
    said = _TAG.sub(lambda found: "\n" if found[1].lower() in _ENDS_LINE else "", said)
    said = html.unescape(said) if "&" in said else said
    said = _NAMED_LINK.sub("", _MARKER.sub("", _LINK.sub(r"\1", _LINK_TARGET.sub("", said))))
    said = _untabled(_RULE.sub("", said))
    said = _FACE.sub("", _PICTURES.sub(" ", said))
    said = _HEADING_END.sub("", _LINE_START.sub("", _BOX.sub(lambda found: found[1] or "", said)))
    said = said if numbered else _ITEM_NUMBER.sub("", said)
    said = _MARKUP.sub("", _ESCAPE.sub(r"\1", _TIMES.sub(" × ", said)))
    said = _LINE_END.sub(", ", _BRACKETS.sub(r"\1", said).strip())
    return re.sub(r"\s+", " ", said)


def _code(found: re.Match[str]) -> str:
    code = found[2].strip()
    return code if len(code) <= SHORT_CODE_CHARS and "\n" not in code else CODE


def _untabled(text: str) -> str:
    """Return the text with each row of a table as a sentence; what looks like one without a rule keeps no head."""
    if "|" not in text:
        return text
    lines = text.split("\n")
    return "\n".join(_lines(lines))


def _lines(lines: Sequence[str]) -> Iterator[str]:
    head: list[str] = []
    for at, line in enumerate(lines):
        if "|" not in line:
            head = []
            yield line
        elif _is_rule(line):
            continue
        elif at + 2 < len(lines) and _is_rule(lines[at + 1]) and "|" in lines[at + 2]:
            head = _cells(line)
        else:
            yield _row(line, head)


def _is_rule(line: str) -> bool:
    return "-" in line and "|" in line and not line.strip("|:-+ \t")


def _row(line: str, head: Sequence[str]) -> str:
    cells = _cells(line)
    if head and len(head) == len(cells) > 1:
        cells = [f"{name}: {cell}" if name else cell for name, cell in zip(head, cells, strict=True) if cell]
    said = ", ".join(filter(None, cells))
    return f"{said}." if line.lstrip().startswith("|") and said[-1:].isalnum() else said


def _cells(line: str) -> list[str]:
    cells = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
    return [_TICKS.get(cell.rstrip("\ufe0f"), cell) for cell in cells]
