"""What a set is made of: documents as they were extracted, and questions with the place of their answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ports.passages import Passage


@dataclass(frozen=True)
class Source:
    """A document that is put in: its file's name, and what was read from it."""

    filename: str
    extraction: Extraction


@dataclass(frozen=True)
class Wanted:
    """A question, and the document, the page or the words at which its answer stands.

    `own` is what was asked, of a question that was made whole.
    """

    question: str
    filename: str
    page: int | None = None
    words: str = ""
    own: str = ""

    def is_document(self, passage: Passage) -> bool:
        """Return whether the passage is of the right document."""
        return passage.filename == self.filename

    def is_place(self, passage: Passage) -> bool:
        """Return whether the passage is the right page and has the right words, where these are known."""
        if not self.is_document(passage) or self.words not in passage.text:
            return False
        return self.page is None or (passage.page_from or 0) <= self.page <= (passage.page_to or 0)


@dataclass(frozen=True)
class Set:
    """Documents that are searched together, and what is asked of them."""

    name: str
    sources: Sequence[Source]
    questions: Sequence[Wanted]


def plain(filename: str, text: str) -> Source:
    """Return a text file of these paragraphs."""
    return Source(filename, Extraction(tuple(Element(part) for part in text.split("\n\n"))))


def headed(filename: str, title: str, sections: Sequence[tuple[str, str]]) -> Source:
    """Return a document with a title and sections of (heading, text)."""
    elements = [Element(title, Kind.TITLE, level=1)]
    for heading, text in sections:
        elements += [Element(heading, Kind.TITLE, level=2), Element(text)]
    return Source(filename, Extraction(tuple(elements), title))
