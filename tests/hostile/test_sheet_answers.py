"""Who asks for a cell of a table is shown the row it is in, however much the rows are alike."""

import io
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import Workbook

from deploy.ephemeral import Stack, wait_until
from tests.hostile.flood import forgotten

pytestmark = pytest.mark.timeout(500)  # The first test waits for all files.

ASKED = 20
ENOUGH = 18
"""Of those asked in a sheet: rows that differ in a digit of a number are nearly one for a small model."""

WITHIN_S = 240
REAL = {
    "docx-tables.docx": (("What is Header Col 2 of Lorem ipsum?", "Lorem ipsum | A link example"),),
    "stanley-cups.csv": (("How many Stanley Cups have the Maple Leafs?", "Maple Leafs | TOR | 13"),),
    "stanley-cups.xlsx": (("How many Stanley Cups do the Flyers have?", "Flyers | PHI | 2"),),
    "table-semicolon-delimiter.csv": (("What is the revenue where the costs are -814,38?", "143,1 | -814,38"),),
}


def rows(count: int, seed: int) -> list[list[str]]:
    """Return the rows of a store's sheet, each like many others: the same few goods, bins and sizes."""
    rng = random.Random(seed)
    header = ["Part number", "Description", "Bin", "Pieces in stock", "Supplier"]
    goods = ("Hex bolt", "Hex nut", "Washer", "Threaded rod", "Wood screw", "Anchor")
    makers = ("Northern Steel", "Harbour Tools", "Millfield & Sons")
    body = [
        [
            f"{'ABC'[seed % 3]}{seed}-{40_000 + 7 * number}",
            f"{rng.choice(goods)} M{rng.choice((4, 5, 6, 8, 10, 12))} {rng.choice(('steel', 'brass', 'zinc'))}",
            f"{rng.choice('ABCDEF')}{rng.randrange(1, 60):02d}",
            str(rng.randrange(1, 5_000)),
            rng.choice(makers),
        ]
        for number in range(count)
    ]
    return [header, *body]


def csv(made: list[list[str]], separator: str) -> bytes:
    return "\n".join(separator.join(row) for row in made).encode()


def xlsx(made: list[list[str]]) -> bytes:
    book, buffer = Workbook(), io.BytesIO()
    for row in made:
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


SHEETS = {"store-200.csv": rows(200, 1), "store-800.xlsx": rows(800, 2), "store-2000.tsv": rows(2000, 3)}


@pytest.fixture(scope="module")
def sheets(stack: Stack) -> Iterator[None]:
    """Have the three sheets searchable, and no longer than here."""
    contents = {
        name: xlsx(made) if name.endswith("xlsx") else csv(made, "\t" if name.endswith("tsv") else ";")
        for name, made in SHEETS.items()
    }
    with forgotten(stack):
        read(stack, contents)
        yield


def read(stack: Stack, contents: dict[str, bytes]) -> None:
    accepted = stack.client.post("/api/documents/upload", files=[("files", one) for one in contents.items()]).json()
    wait_until(lambda: stack.client.get(accepted["job"]).json()["finished"], WITHIN_S, "all sheets are searchable")
    totals = stack.client.get(accepted["job"]).json()["result"]["totals"]
    assert totals["processed"] == len(contents)


def cited(stack: Stack, question: str) -> tuple[str, str]:
    """Return file and quote of what the answer's first statement cites, empty where it cites nothing."""
    answer = stack.ask(question, use_memory=False)
    marker = re.search(r"\[(\d+)\]", answer["response"])
    citations = {found["number"]: found for found in answer["citations"]}
    found = citations.get(int(marker[1])) if marker else None
    return (found["filename"], found["quote"]) if found else ("", "")


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.usefixtures("sheets")
def test_a_cell_is_found_among_rows_that_are_alike(stack: Stack, name: str) -> None:
    wrong = []
    for row in random.Random(name).sample(SHEETS[name][1:], ASKED):
        file, quote = cited(stack, f"How many pieces of part number {row[0]} are in stock?")
        if file != name or " | ".join(row) not in quote:
            wrong.append((row, file, quote))
    assert ASKED - len(wrong) >= ENOUGH, wrong


def test_a_cell_of_a_real_table_is_found(stack: Stack, shared_data: Path) -> None:
    with forgotten(stack):
        read(stack, {name: (shared_data / "documents" / name).read_bytes() for name in REAL})
        for name, asked in REAL.items():
            for question, row in asked:
                file, quote = cited(stack, question)
                # Two of the files hold the same table.
                assert file.partition(".")[0] == name.partition(".")[0], (question, file, quote)
                assert row in quote
