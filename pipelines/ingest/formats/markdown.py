"""Markdown: CommonMark with tables, by way of the HTML it stands for."""

import re
from dataclasses import replace

from markdown_it import MarkdownIt

from pipelines.ingest.clean import clean, one_line
from pipelines.ingest.elements import Element, Extraction
from pipelines.ingest.formats.decoding import decode
from pipelines.ingest.formats.html import from_markup
from schemas.errors.files import Damaged

MAX_NESTING = 100
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_TITLE = re.compile(r"title\s*:\s*(.+)", re.IGNORECASE)


def read(data: bytes) -> Extraction:
    """Return the elements of a Markdown file; front matter is its title and, line by line, text. Raises Damaged."""
    text = clean(decode(data))
    front = _FRONT_MATTER.match(text)
    body = text[front.end() :] if front else text
    extraction = from_markup(_markup(body))
    if not front:
        return extraction
    lines = [line for line in map(one_line, front.group(1).split("\n")) if line]
    named = next((match.group(1).strip("\"' ") for line in lines if (match := _TITLE.match(line))), "")
    elements = (Element("\n".join(lines)), *extraction.elements) if lines else extraction.elements
    return replace(extraction, elements=elements, title=named or extraction.title)


def _markup(body: str) -> str:
    """Return Markdown as HTML. Raises Damaged where it is nested so deeply that the parser would leave text out."""
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    tokens = parser.parse(body)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        raise Damaged(f"The file is nested deeper than {MAX_NESTING} levels.")
    return str(parser.renderer.render(tokens, parser.options, {}))
