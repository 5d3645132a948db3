"""Chunks hold everything, within bounds, each where it says it stands."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest import tokens
from pipelines.ingest.chunk import MAX_TOKENS, chunk
from pipelines.ingest.elements import Element, Extraction, Kind, join, pack, pack_chunks, unpack, unpack_chunks
from pipelines.ports.passages import Box

WORDS = st.sampled_from(["river", "The harbour opens.", "x" * 40, "Straße", "3.5 kg", "日本語です。", "e.g.", "a | b"])
TEXTS = st.lists(WORDS, min_size=1, max_size=400).map(" ".join)
TITLES = st.builds(
    lambda text, level: Element(text, Kind.TITLE, level=level), st.text("abcdef ", min_size=1), st.integers(1, 4)
)
BODIES = st.builds(lambda text, page: Element(text, Kind.TEXT, page), TEXTS, st.integers(1, 9))


def prose(sentences: int) -> str:
    return " ".join(f"Sentence number {i} speaks of the harbour and the river." for i in range(sentences))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(TITLES, BODIES), max_size=8))
def test_chunks_are_small_numbered_and_lose_nothing(elements: list[Element]) -> None:
    chunks = chunk(Extraction(tuple(elements)))
    assert [found.index for found in chunks] == list(range(len(chunks)))
    assert all(found.token_count <= MAX_TOKENS for found in chunks)
    assert all(tokens.count(found.text) == found.token_count for found in chunks)
    held = " ".join(" ".join((*found.heading_path, found.text)) for found in chunks).split()
    for element in elements:
        if element.text.strip() and element.kind is Kind.TEXT:
            assert set(element.text.split()) <= set(held)


def test_a_sentence_without_an_end_is_cut_to_size() -> None:
    chunks = chunk(Extraction((Element("x" * 100_000),)))
    assert len(chunks) > 10
    assert all(found.token_count <= MAX_TOKENS for found in chunks)


def test_neighbours_share_whole_sentences() -> None:
    chunks = chunk(Extraction((Element(prose(120)),)))
    assert len(chunks) > 2
    for before, after in itertools.pairwise(chunks):
        first = after.text.split(". ")[0]
        assert first in before.text
        assert after.text.startswith("Sentence number")


def test_a_chunk_never_crosses_a_heading_and_knows_its_path() -> None:
    elements = (
        Element("Handbook", Kind.TITLE, level=1),
        Element("Holiday", Kind.TITLE, level=2),
        Element("Everybody has 28 days.", page=3, box=Box(3, 10, 20, 200, 40)),
        Element("Sickness", Kind.TITLE, level=2),
        Element("Call before nine.", page=4),
    )
    chunks = chunk(Extraction(elements))
    assert [(found.heading_path, found.text, found.page_from) for found in chunks] == [
        (("Handbook", "Holiday"), "Everybody has 28 days.", 3),
        (("Handbook", "Sickness"), "Call before nine.", 4),
    ]
    assert chunks[0].boxes[0].page == 3
    assert chunks[0].context("handbook.pdf", "Handbook") == "Handbook > Holiday\nEverybody has 28 days."


def test_a_long_table_repeats_its_header() -> None:
    rows = (("Bike", "Price"), *((f"Model {i} with a long descriptive name", f"{i} euros a day") for i in range(120)))
    table = Element("\n".join(" | ".join(row) for row in rows), Kind.TABLE, rows=rows)
    chunks = chunk(Extraction((table,)))
    assert len(chunks) > 2
    assert all(found.text.startswith("Bike | Price") for found in chunks)
    assert sum(found.text.count("Model 77 ") for found in chunks) == 1


def test_the_same_input_gives_the_same_chunks() -> None:
    extraction = Extraction((Element("Title", Kind.TITLE, level=1), Element(prose(50))))
    assert chunk(extraction) == chunk(extraction)


def test_artefacts_come_back_as_they_were() -> None:
    first = Extraction((Element("A", Kind.TITLE, 1, Box(1, 0, 0, 5, 5), 1),), "Title", 2)
    second = Extraction((Element("a | b", Kind.TABLE, 2, rows=(("a", "b"),)),), "", 2)
    assert unpack(pack(first)) == first
    assert pack(first) == pack(first)
    assert join([first, second]) == Extraction(first.elements + second.elements, "Title", 2)
    chunks = chunk(join([first, second]))
    assert unpack_chunks(pack_chunks(chunks, "Title")) == (chunks, "Title")
