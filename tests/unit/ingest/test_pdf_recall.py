"""Nothing that pdfium finds on a page is lost on the way to its elements, and each word stays on its page."""

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest

from pipelines.ingest.formats.pdf import read
from tests.unit.ingest.pdfs import document, lines, rule, text

MIN_RECALL = 0.97
NO_TEXT = {"DA-1p.pdf", "single_table.pdf"}
LOCKED = {"password.pdf"}
_WORD = re.compile(r"\w+")
_CUT = re.compile("\x02|[\ufffe\u00ad-]\\s*\n")  # \x02 is pdfium's hyphen at a line's end.
_MARK = re.compile(r"(?<=[^\W\d]{3})\d{1,2}\b")


def words(content: str) -> Counter[str]:
    """Return the words of a text, those cut at a line's end made whole, footnotes' numbers apart from their words."""
    whole = _CUT.sub("", unicodedata.normalize("NFKC", content.replace("\r", "")))
    return Counter(_WORD.findall(_MARK.sub(r" \g<0>", whole).casefold()))


def plain_pages(data: bytes) -> list[str]:
    with pypdfium2.PdfDocument(data) as opened:
        return [page.get_textpage().get_text_bounded() for page in opened]


def recall(data: bytes) -> float:
    """Return the share of the words of the plain text of all pages that the elements of the same page have.

    A line that runs through the margins of the pages is kept on the first one only, and page numbers on
    none: on the other pages they count as lost.
    """
    found: dict[int | None, Counter[str]] = {}
    for element in read(data, None, lambda _: None).elements:
        found.setdefault(element.page, Counter()).update(words(element.text))
    hits = total = 0
    for number, content in enumerate(plain_pages(data), 1):
        wanted = words(content)
        total += wanted.total()
        hits += (wanted & found.get(number, Counter())).total()
    return hits / total


def test_real_files_keep_their_words(shared_data: Path) -> None:
    files = [path for path in sorted((shared_data / "documents").glob("*.pdf")) if path.name not in NO_TEXT | LOCKED]
    found = {path.name: recall(path.read_bytes()) for path in files}
    assert found
    assert {name: value for name, value in found.items() if value < MIN_RECALL} == {}


def test_every_word_of_a_page_of_everything_is_kept_on_its_page() -> None:
    xs, ys = (60, 160, 260, 360), (500, 480, 460, 440)
    grid = b"".join(rule(x, ys[0], x, ys[-1]) for x in xs) + b"".join(rule(xs[0], y, xs[-1], y) for y in ys)
    cells = b"".join(text(x + 5, y - 14, f"cell{x}{y}") for x in xs[:3] for y in ys[:3])
    pages = [
        lines(60, 680, [f"Page{n} line{i} says what no other line of this document says" for i in range(5)])
        + lines(60, 600, [f"left{n}column{i} of words" for i in range(6)])
        + lines(320, 600, [f"right{n}column{i} of words" for i in range(6)])
        + grid
        + cells
        + b"q 0 1 -1 0 30 300 cm " + text(0, 0, f"sideways{n}") + b"Q\n"
        for n in range(1, 6)
    ]  # fmt: skip
    assert recall(document(pages)) == 1.0


@pytest.mark.parametrize("count", [2, 5])
def test_a_running_line_is_kept_once_and_counts_as_loss_elsewhere(count: int) -> None:
    pages = [
        text(60, 765, "Larkfield Cycles") + lines(60, 700, [f"What page {n} says {n * n} times"]) for n in range(count)
    ]
    lost = 2 * (count - 1)
    assert recall(document(pages)) == pytest.approx(1 - lost / (8 * count))
