"""One pass over the control words of an RTF."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipelines.ingest.formats.rtf.tables import codec, fonts, levels
from schemas.errors.files import Damaged

MAX_DEPTH = 1000
MAX_CELLS = 1000
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\", re.DOTALL
)
_SKIPPED = frozenset(
    "fonttbl colortbl stylesheet info pict object objdata fldinst themedata colorschememapping datastore latentstyles"
    " listtable listoverridetable rsidtbl generator filetbl revtbl xmlnstbl bkmkstart bkmkend nonshppict xe tc template"
    " atnid atnauthor private pgdsctbl sp ftnsep ftnsepc aftnsep aftnsepc deleted mmathPr".split()
)
# Destinations marked as optional in which there is text, or the end of a row.
_KEPT = frozenset("shpinst shptxt nesttableprops".split())
_SIGNS = {
    "tab": "\t", "line": "\n", "softline": "\n", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘",
    "rquote": "’", "ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ", "qmspace": " ",
    "nestcell": " ", "nestrow": " ", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, or a row of a table where `row` is given. `label` stands before a list's item."""

    text: str = ""
    row: tuple[str, ...] = ()
    level: int | None = None
    label: str = ""
    bold: bool = False
    half_points: int = 24


@dataclass(frozen=True)
class _State:
    """What a group inherits and its end takes back."""

    skipped: bool = False
    encoding: str = ""
    unicode_bytes: int = 1
    bold: bool = False
    hidden: bool = False
    half_points: int = 24
    level: int | None = None
    in_table: bool = False
    label: bool = False
    aside: bool = False


class Reading:
    """Reads a document's paragraphs in order. Raises Damaged where groups are nested without end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.encoding = "cp1252"
        self.fonts = fonts(data)
        self.levels = levels(data)
        self.state = _State()
        self.stack: list[_State] = []
        self.optional = False
        self.pending = b""
        self.unread = 0
        self.text: list[str] = []
        self.label: list[str] = []
        self.cells: list[str] = []
        self.bold = True
        self.half_points = 0

    def paragraphs(self) -> Iterator[Paragraph]:
        at = 0
        while match := _TOKEN.match(self.data, at):
            at = match.end()
            word, parameter, byte, sign, brace, plain = match.groups()
            if plain or byte:
                self._bytes(plain or bytes.fromhex(byte.decode()))
            elif word == b"bin":
                at += max(0, int(parameter or 0))
            elif word:
                yield from self._word(word.decode(), int(parameter) if parameter else None)
            elif brace:
                self._brace(brace)
            elif sign:
                self._sign(sign)
        self._flush()
        yield from self._row() if self.cells else ()
        yield self._paragraph()

    def _bytes(self, data: bytes) -> None:
        # After a character in Unicode comes the same for readers that know only code pages.
        unread = min(self.unread, len(data))
        self.unread -= unread
        if not self.state.skipped and not self.state.hidden:
            self.pending += data[unread:]

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self.unread, self.optional = 0, False
        if brace == b"{":
            if len(self.stack) >= MAX_DEPTH:
                raise Damaged("The file is nested too deeply.")
            self.stack.append(self.state)
            return
        before = self.stack.pop() if self.stack else _State()
        if self.state.aside and not before.aside:
            self._say("] ")
        self.state = before

    def _sign(self, sign: bytes) -> None:
        if sign in b"\\{}":
            self._bytes(sign)
        elif sign == b"*":
            self.optional = True
        else:
            self._flush()
            self._say({b"~": " ", b"_": "-", b"\r": "\n", b"\n": "\n"}.get(sign, ""))

    def _word(self, word: str, value: int | None) -> Iterator[Paragraph]:
        if word == "u" and value is not None:
            self._flush()
            self._say(chr(value % 65536))
            self.unread = self.state.unicode_bytes
            return
        self._flush()
        self.unread = 0
        optional, self.optional = self.optional, False
        if word in _SKIPPED or (optional and word not in _KEPT):
            self.state = replace(self.state, skipped=True)
        elif self.state.skipped:
            return
        elif word in ("par", "sect", "page") and not self.state.aside:
            if self.state.in_table and not self.state.label:
                self._say("\n")
            else:
                yield self._paragraph()
        elif word == "cell" and len(self.cells) < MAX_CELLS:
            self.cells.append(self._paragraph().text)
        elif word == "row":
            yield from self._row()
        elif word in _SIGNS:
            self._say(_SIGNS[word])
        else:
            self._property(word, value)

    def _property(self, word: str, value: int | None) -> None:
        on = value != 0
        if word == "pard":
            self.state = replace(self.state, level=None, in_table=False)
        elif word == "s":
            self.state = replace(self.state, level=self.levels.get(value or 0))
        elif word == "outlinelevel":
            self.state = replace(self.state, level=value + 1 if value is not None and 0 <= value < 9 else None)
        elif word in ("intbl", "itap"):
            self.state = replace(self.state, in_table=on)
        elif word in ("listtext", "pntext"):
            self.state = replace(self.state, label=True)
        elif word in ("footnote", "annotation"):
            self._say(" [")
            self.state = replace(self.state, aside=True)
        else:
            self._type(word, value)

    def _type(self, word: str, value: int | None) -> None:
        """Take note of what letters look like, and of how they are written in bytes."""
        state, on = self.state, value != 0
        if word == "f" and value is not None:
            self.state = replace(state, encoding=self.fonts.get(value, ""))
        elif word == "fs" and value and value > 0:
            self.state = replace(state, half_points=value)
        elif word == "b":
            self.state = replace(state, bold=on)
        elif word == "v":
            self.state = replace(state, hidden=on)
        elif word == "plain":
            self.state = replace(state, bold=False, half_points=24, hidden=False)
        elif word == "uc" and value is not None:
            self.state = replace(state, unicode_bytes=max(0, min(value, 10)))
        elif word == "ansicpg" and value:
            self.encoding = codec(value) or self.encoding
        elif word in ("mac", "pc", "pca"):
            self.encoding = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]

    def _flush(self) -> None:
        """Turn the bytes so far into text; double-byte signs come in two tokens."""
        if self.pending:
            data, self.pending = self.pending, b""
            self._say(data.decode(self.state.encoding or self.encoding, "replace"))

    def _say(self, text: str) -> None:
        if self.state.skipped or self.state.hidden:
            return
        if self.state.label:
            self.label.append(text)
            return
        self.text.append(text)
        if text.strip() and not self.state.aside:
            self.bold = self.bold and self.state.bold
            self.half_points = min(self.half_points or 4000, self.state.half_points)

    def _paragraph(self) -> Paragraph:
        # Signs beyond the first 65,536 come in halves.
        text = "".join(self.text).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        label = "".join(self.label)
        found = Paragraph(text, (), self.state.level, label, self.bold and bool(text.strip()), self.half_points or 24)
        self.text, self.label, self.bold, self.half_points = [], [], True, 0
        return found

    def _row(self) -> Iterator[Paragraph]:
        if self.text and "".join(self.text).strip() and self.cells:
            self.cells.append(self._paragraph().text)
        if self.cells:
            yield Paragraph(row=tuple(self.cells))
        self.cells = []
