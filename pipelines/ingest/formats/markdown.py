"""Markdown: CommonMark with tables, by way of the HTML it stands for."""

import re
from dataclasses import replace

from markdown_it import MarkdownIt

from pipelines.ingest.clean import clean, one_line
from pipelines.ingest.elements import Element, Extraction
from pipelines.ingest.formats.decoding import decode
from pipelines.ingest.formats.html import from_markup

_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_TITLE = re.compile(r"title\s*:\s*(.+)", re.IGNORECASE)


def read(data: bytes) -> Extraction:
    """Return the elements of a Markdown file; front matter is its title and, line by line, text. Raises Damaged."""
    text = clean(decode(data))
    front = _FRONT_MATTER.match(text)
    body = text[front.end() :] if front else text
    extraction = from_markup(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(body))
    if not front:
        return extraction
    lines = [line for line in map(one_line, front.group(1).split("\n")) if line]
    named = next((match.group(1).strip("\"' ") for line in lines if (match := _TITLE.match(line))), "")
    elements = (Element("\n".join(lines)), *extraction.elements) if lines else extraction.elements
    return replace(extraction, elements=elements, title=named or extraction.title)
