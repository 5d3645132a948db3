"""A citation says which row of a table, or which seconds of a recording, an answer rests on."""

from dataclasses import asdict
from uuid import uuid4

import pytest

from pipelines.ingest.chunk import chunk
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats.table import table
from pipelines.ports.passages import Passage
from pipelines.stores.turns import turns
from pipelines.turn.checking.citations import cite

HEADER = ["Part", "Price", "Stock"]


def passages(*elements: Element) -> list[Passage]:
    """Return the chunks of a document as they are found."""
    return [
        Passage(
            "document_chunks",
            piece.index,
            uuid4(),
            "prices.xlsx",
            piece.text,
            row_from=piece.row_from,
            row_to=piece.row_to,
            start_s=piece.start_s,
            end_s=piece.end_s,
        )
        for piece in chunk(Extraction(elements))
    ]


@pytest.mark.parametrize("first_row", [1, 4])
def test_every_row_of_a_long_sheet_is_cited_with_its_number_and_header(first_row: int) -> None:
    rows = [[f"Bolt M{n}", f"{3 * n} euros", f"{n + 1000}"] for n in range(2, 300)]
    found = passages(table([HEADER, *rows], first_row=first_row))
    assert len(found) > 3
    for number, (part, price, stock) in enumerate(rows, first_row + 1):
        [holding] = [passage for passage in found if f"{part} |" in passage.text]
        _, [citation] = cite(f"The {part} costs {price}, with {stock} in stock [1].", [holding])
        assert citation["rows"] == [number, number]
        assert citation["quote"] == f"Part | Price | Stock\n{part} | {price} | {stock}"


def test_rows_of_two_tables_in_one_chunk_keep_their_numbers() -> None:
    first = table([HEADER, ["nut", "1 euro", "4"], ["washer", "2 euros", "5"]], first_row=1)
    second = table([["Tool", "Owner"], ["hammer", "Ada"], ["saw", "Bob"]], first_row=20)
    [passage] = passages(first, second)
    for said, row in (("The washer costs 2 euros", 3), ("The hammer is Ada's", 21), ("The saw is Bob's", 22)):
        _, [citation] = cite(f"{said} [1].", [passage])
        assert citation["rows"] == [row, row]


def test_a_row_that_is_longer_than_a_chunk_keeps_its_number() -> None:
    rows = [HEADER, ["anvil", "heavy " * 900, "1"], ["bellows", "cheap", "2"]]
    for passage in passages(table(rows, first_row=7)):
        _, [citation] = cite("The anvil is heavy [1].", [passage])
        assert citation["rows"] == [8, 8]


def test_a_table_of_no_sheet_is_quoted_by_its_row_and_prose_by_its_sentence() -> None:
    text = Element("The workshop opens at nine. Bring your own gloves.")
    [passage] = passages(text, table([HEADER, ["nut", "1 euro", "4"], ["washer", "2 euros", "5"]]))
    _, [citation] = cite("The washer costs 2 euros [1].", [passage])
    assert (citation["quote"], citation["rows"]) == ("Part | Price | Stock\nwasher | 2 euros | 5", None)
    _, [citation] = cite("Bring your own gloves, not a washer [1].", [passage])
    assert citation["quote"] == "Bring your own gloves."


def test_speech_is_cited_by_its_seconds() -> None:
    spoken = [Element(f"This is said at {n}.", Kind.TEXT, start_s=30.0 * n, end_s=30.0 * n + 29) for n in range(3)]
    [passage] = passages(*spoken)
    _, [citation] = cite("It is said at 2 [1].", [passage])
    assert (citation["start_s"], citation["end_s"], citation["rows"]) == (0.0, 89.0, None)


def test_a_turn_keeps_the_places_of_its_passages() -> None:
    [passage] = passages(table([HEADER, ["nut", "1 euro", "4"]], first_row=3))
    assert turns.unpacked(turns.packed([passage])) == (passage,)
    before = [{name: value for name, value in one.items() if name != "row_to"} for one in turns.packed([passage])]
    assert asdict(turns.unpacked(before)[0])["row_to"] is None
