"""A chunk says where it stands in the document's text, on which pages, and what it is good for."""

import re
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.ingest import tokens
from pipelines.ingest.chunk import MAX_TOKENS, OVERLAP_TOKENS, chunk
from pipelines.ingest.chunk_types import chunk_type
from pipelines.ingest.elements import Chunk, Element, Extraction, Kind
from pipelines.ingest.formats.table import table
from pipelines.ports.passages import Box

WORDS = st.sampled_from(
    ["The harbour opens.", "and so", "Dr. Marlowe came.", "日本語です。", "x" * 90, "3.5 kg", "- item", "half-"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=250).map(" ".join)
TABLES = st.lists(st.tuples(TEXTS.map(lambda t: t[:60]), TEXTS.map(lambda t: t[:400])), min_size=2, max_size=30).map(
    table
)
ELEMENTS = st.one_of(
    st.builds(lambda text, page: Element(text, Kind.TEXT, page), TEXTS, st.integers(1, 9)),
    st.builds(lambda text: Element(text, Kind.LIST_ITEM), TEXTS),
    st.builds(lambda text: Element(text.replace(" ", "\n"), Kind.CODE), TEXTS),
    st.builds(lambda text, level: Element(text[:80], Kind.TITLE, level=level), TEXTS, st.integers(1, 4)),
    TABLES,
)


def of(*elements: Element) -> list[Chunk]:
    return chunk(Extraction(elements))


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@settings(max_examples=60, deadline=None)
@given(st.lists(ELEMENTS, max_size=7))
@example([Element("A", Kind.TITLE, level=1), Element("B", Kind.TITLE, level=2), Element("C", Kind.TITLE, level=1)])
def test_every_character_is_in_a_chunk_or_a_path_where_the_chunk_says(elements: list[Element]) -> None:
    whole = "\n\n".join(element.text for element in elements)
    covered = [False] * len(whole)
    chunks = of(*elements)
    for found in chunks:
        assert 0 <= found.start_char < found.end_char <= len(whole)
        assert found.token_count == tokens.count(found.text) <= MAX_TOKENS
        # A word cut at the end of a column is whole in the chunk; a repeated header comes before it.
        assert (
            squeezed(found.text)
            .replace("-", "")
            .endswith(squeezed(whole[found.start_char : found.end_char]).replace("-", ""))
        )
        covered[found.start_char : found.end_char] = [True] * (found.end_char - found.start_char)
    at = 0
    for element in elements:
        end = at + len(element.text)
        lost = "".join(char for char, seen in zip(whole[at:end], covered[at:end], strict=True) if not seen)
        assert not lost.strip() or any(element.text in found.heading_path for found in chunks)
        at = end + 2


def prose(count: int, word: str = "harbour") -> str:
    return " ".join(f"Sentence number {i} of this text speaks of the {word}." for i in range(count))


def test_the_overlap_is_whole_sentences_and_short() -> None:
    found = of(Element(prose(150)))
    for before, after in pairwise(found):
        shared = before.end_char - after.start_char
        repeated = before.text[len(before.text) - shared :]
        assert repeated
        assert repeated.startswith("Sentence number")
        assert tokens.count(repeated) <= OVERLAP_TOKENS


def test_sections_do_not_overlap() -> None:
    first, second = of(
        Element("A", Kind.TITLE, level=1),
        Element(prose(20)),
        Element("B", Kind.TITLE, level=1),
        Element(prose(20, "river")),
    )
    assert "river" not in first.text
    assert "harbour" not in second.text


def test_a_chunk_ends_with_its_paragraph_where_the_next_one_would_not_fit() -> None:
    first, second = of(Element(prose(30)), Element(prose(30, "river")))
    assert "river" not in first.text
    assert second.text.endswith("the river.")


def test_a_sentence_runs_on_over_a_page() -> None:
    (found,) = of(
        Element("The committee met in the old town hall and then", page=4, box=Box(4, 50, 700, 300, 720)),
        Element("decided that the quay should be made longer.", page=5, box=Box(5, 50, 60, 300, 80)),
    )
    assert found.text == "The committee met in the old town hall and then decided that the quay should be made longer."
    assert (found.page_from, found.page_to) == (4, 5)
    assert [box.page for box in found.boxes] == [4, 5]


def test_a_word_cut_at_the_end_of_a_column_is_whole() -> None:
    (found,) = of(Element("The commission met and the com-", page=1), Element("mittee did not.", page=2))
    assert found.text == "The commission met and the committee did not."


def test_boxes_are_few() -> None:
    down = [Element(f"Line {i}.", page=1, box=Box(1, 50, 100 + 20 * i, 300, 115 + 20 * i)) for i in range(10)]
    other = [Element(f"Other {i}.", page=1, box=Box(1, 320, 100 + 20 * i, 560, 115 + 20 * i)) for i in range(10)]
    (found,) = of(*down, *other)
    assert found.boxes == (Box(1, 50, 100, 300, 295), Box(1, 320, 100, 560, 295))
    scattered = [
        Element(f"Spot {i}.", page=1, box=Box(1, 50 * (i % 9), 700 - i, 50 * (i % 9) + 9, 705 - i)) for i in range(20)
    ]
    assert len(of(*scattered)[0].boxes) <= 4


def test_headings_with_nothing_under_them_lead_the_next_section() -> None:
    found = of(
        Element("Larkfield Cycles", Kind.TITLE, level=2),
        Element("Handbook", Kind.TITLE, level=1),
        Element("Repairs", Kind.TITLE, level=2),
        Element("We mend every bicycle."),
        Element("The end", Kind.TITLE, level=1),
    )
    assert [(c.heading_path, c.text) for c in found] == [
        (("Handbook", "Repairs"), "Larkfield Cycles\n\nHandbook\n\nRepairs\n\nWe mend every bicycle."),
        ((), "The end"),
    ]


def test_a_row_too_long_for_a_chunk_is_cut_with_its_header() -> None:
    rows = [("Clause", "Text"), ("1", prose(80)), ("2", "short")]
    found = of(table(rows))
    assert all(c.token_count <= MAX_TOKENS for c in found)
    assert all(c.text.startswith("Clause | Text") for c in found)


def test_a_header_as_long_as_a_chunk_is_not_repeated() -> None:
    rows = [(prose(30), "b"), *((f"row {i}", "value of it") for i in range(200))]
    found = of(table(rows))
    assert sum("Sentence number 3 " in c.text for c in found) == 1
    assert "row 199 | value of it" in found[-1].text


def test_types_are_told_by_simple_signs() -> None:
    assert chunk_type("a | b\n1 | 2", [Kind.TABLE], []) == "data"
    assert chunk_type("Nine to five.", [Kind.TEXT], ["When are you open?"]) == "question"
    assert chunk_type("Q: Can I cancel?\nA: Yes.", [Kind.TEXT], []) == "question"
    assert chunk_type("1. Open the lid.\n2. Fill it.\n3. Close it.", [Kind.LIST_ITEM] * 3, []) == "process"
    assert chunk_type("First, call us. Then wait. Finally, come by.", [Kind.TEXT], []) == "process"
    assert chunk_type("Endpointing is the act of finding the end of speech.", [Kind.TEXT], []) == "definition"
    assert chunk_type("Endpointing: where speech ends", [Kind.TEXT], ["Glossary"]) == "definition"
    assert chunk_type("The harbour opened late that year, and then it closed.", [Kind.TEXT], ["1902"]) == "general"
