"""What a document is called goes with each of its chunks, and onto its card."""

import pytest

from pipelines.ingest.card import MAX_CHARS, card
from pipelines.ingest.elements import Chunk, named
from pipelines.ingest.naming import name_in_words


@pytest.mark.parametrize(
    ("filename", "words"),
    [
        ("AcmeReport_2023-Q3.pdf", "Acme Report 2023 Q3"),
        ("northwind-10q-2021-q1.pdf", "northwind 10q 2021 q1"),
        ("Preisliste 2024.xlsx", "Preisliste 2024"),
        ("XR-2041B.pdf", "XR-2041B"),
        ("report-q3.pdf", "report q3"),
        ("employee-handbook.md", "employee handbook"),
        ("folder/Harbour Hotel.docx", "Harbour Hotel"),
        ("合同.pdf", "合同"),
        ("p0001.txt", ""),
        ("scan0017.pdf", ""),
        ("IMG_2041.JPG", ""),
        ("notes.txt", ""),
        ("document(1).pdf", ""),
        ("d41d8cd98f00b204e9800998ecf8427e.pdf", ""),
        ("3f2b8c1e-aaaa-bbbb-cccc-0123456789ab.pdf", ""),
        ("", ""),
    ],
)
def test_a_name_is_read_as_words_where_it_says_something(filename: str, words: str) -> None:
    assert name_in_words(filename) == words


def test_a_name_that_repeats_the_title_is_not_said_again() -> None:
    assert named("employee-handbook.md", "Employee Handbook") == ["Employee Handbook"]
    assert named("acme-2023.pdf", "Acme Report") == ["Acme Report", "acme 2023"]
    assert named("notes.txt", "notes.txt") == []


def chunk(text: str, page: int | None, index: int = 0, heading_path: tuple[str, ...] = ()) -> Chunk:
    return Chunk(index, text, "general", 9, 0, 9, heading_path=heading_path, page_from=page, page_to=page)


def test_a_chunk_says_where_it_stands() -> None:
    context = chunk("Sales rose.", 3, heading_path=("Results", "Europe")).context("acme-2023.pdf", "Acme Report")
    assert context == "Acme Report > acme 2023 > Results > Europe\nSales rose."


def test_a_card_is_name_title_and_first_page() -> None:
    text = card([chunk("For the third quarter.", 1), chunk("Sales rose.", 2, 1)], "acme-2023.pdf", "Acme Report")
    assert text == "Acme Report > acme 2023\nFor the third quarter."


def test_a_single_chunk_needs_no_card_and_a_long_page_is_cut() -> None:
    assert card([chunk("All of it.", 1)], "a.pdf", "A") is None
    text = card([chunk("word " * 500, None), chunk("more " * 500, None, 1)], "acme-2023.pdf", "Acme")
    assert text is not None
    assert len(text) == MAX_CHARS
