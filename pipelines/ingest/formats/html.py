"""HTML: headings, paragraphs, lists, tables and code in the order of the page, without what is not content."""

import re
from collections.abc import Iterator

from lxml import etree

from pipelines.ingest.clean import clean, one_line
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.decoding import decode
from pipelines.ingest.formats.html_tables import data_table, is_layout
from schemas.errors.files import Damaged

SKIPPED = frozenset(
    "script style noscript template head nav iframe object embed canvas svg audio video map"
    " select option button input textarea datalist dialog".split()
)
BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu ol p pre section summary table tbody td tfoot"
    " th thead tr ul".split()
)
_BREAK = "\x1e"
_PARAGRAPH = re.compile(rf"{_BREAK}(?:\s*{_BREAK})+")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CHARSET = re.compile(rb"<(?:meta[^>]*?charset|\?xml[^>]*?encoding)\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)


def read(data: bytes) -> Extraction:
    """Return the elements of a page; the title is that of its head, else its first heading. Raises Damaged."""
    declared = _CHARSET.search(data[:4096])
    return from_markup(decode(data, declared.group(1).decode("ascii") if declared else None))


def from_markup(markup: str) -> Extraction:
    """Return the elements of a page given as text. Raises Damaged where there is nothing to parse."""
    # Re-encoded, so that the parser does not ask the page for its encoding again.
    # `huge_tree` raises the parser's own limits, on depth from 256 to 2048; memory is limited outside.
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except etree.LxmlError as error:
        raise Damaged() from error
    if any(error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log):
        # The parser stops there without a word, and the rest of the page would be missing.
        raise Damaged("The page is nested too deeply.")
    if root is None:
        return Extraction(())
    elements = tuple(_Walk().elements(root))
    named = one_line(" ".join(title.text or "" for title in root.iter("title")))
    heading = next((e.text for e in elements if e.kind is Kind.TITLE), "")
    return Extraction(elements, named or heading)


class _Walk:
    """One pass over a page, from tag to tag rather than by recursion: nesting has no limit."""

    def __init__(self) -> None:
        self.inline: list[str] = []
        self.term = ""
        self.level: int | None = None
        self.items = 0
        self.preformatted = 0

    def elements(self, root: etree._Element) -> Iterator[Element]:
        events = etree.iterwalk(root, events=("start", "end"))
        for event, node in events:
            tag = node.tag if isinstance(node.tag, str) else ""
            if event == "end":
                yield from self._leave(tag)
                self.inline.append(node.tail or "")
            elif tag in SKIPPED or not tag or _is_hidden(node):
                events.skip_subtree()
            elif tag == "table" and not is_layout(node):
                yield from self._flush()
                yield from data_table(node)
                events.skip_subtree()
            else:
                yield from self._enter(tag)
                self.inline.append(node.text or "")
        yield from self._flush()

    def _enter(self, tag: str) -> Iterator[Element]:
        if tag == "br":
            self.inline.append("\n" if self.preformatted else _BREAK)
        elif tag in BLOCKS:
            yield from self._flush()
        if tag in _HEADINGS:
            self.level = _HEADINGS[tag]
        elif tag in ("li", "dd"):
            self.items += 1
        elif tag == "pre":
            self.preformatted += 1

    def _leave(self, tag: str) -> Iterator[Element]:
        if tag == "dt":
            self.term, self.inline = one_line("".join(self.inline)), []
        elif tag in BLOCKS:
            yield from self._flush()
        if tag in _HEADINGS:
            self.level = None
        elif tag in ("li", "dd"):
            self.items = max(0, self.items - 1)
        elif tag == "pre":
            self.preformatted = max(0, self.preformatted - 1)

    def _flush(self) -> Iterator[Element]:
        """Yield what stands since the last block began or ended."""
        raw, self.inline = "".join(self.inline), []
        if self.preformatted and not self.level:
            if text := clean(raw).strip("\n"):
                yield Element(text, Kind.CODE)
            return
        for part in _PARAGRAPH.split(raw) if self.level is None else (raw,):
            text = one_line(part.replace(_BREAK, " "))
            if not text:
                continue
            if self.term:
                text, self.term = f"{self.term}: {text}", ""
            if self.level:
                yield Element(text, Kind.TITLE, level=self.level)
            else:
                yield Element(text, Kind.LIST_ITEM if self.items else Kind.TEXT)


def _is_hidden(node: etree._Element) -> bool:
    if node.get("hidden") is not None or node.get("aria-hidden") == "true":
        return True
    style = node.get("style")
    return style is not None and _HIDDEN_STYLE.search(style) is not None
