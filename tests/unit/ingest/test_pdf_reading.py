"""A page is read as a person reads it."""

from pipelines.ingest.chunk import chunk
from pipelines.ingest.elements import Extraction, Kind, join
from pipelines.ingest.extract import extract
from tests.unit.ingest.pdfs import HEIGHT, document, lines, rule, text

LEFT = [
    "The harbour of the old town was built long before",
    "anybody wrote down what ships came there, and so",
    "the oldest list that we have begins in the middle",
    "of a century of which little else is known to us,",
    "apart from the names of those who paid for stone.",
]
RIGHT = [
    "In later years the quay was made longer twice and",
    "the crane that stands on it today was put up when",
    "the railway came, which is when grain was shipped",
    "from here to every other harbour along this coast",
    "until the roads took over and the sidings closed.",
]
PROSE = "Every bicycle is checked before it leaves the shop and again when it comes back to us."


def read(data: bytes, pages: range | None = None) -> Extraction:
    return extract(data, "pdf", "made_by-hand.pdf", pages)


def texts(data: bytes, kind: Kind | None = None) -> list[str]:
    return [element.text for element in read(data).elements if kind in (None, element.kind)]


def headings(found: Extraction) -> list[tuple[str, int | None]]:
    return [(element.text, element.level) for element in found.elements if element.kind is Kind.TITLE]


def test_columns_that_were_drawn_line_by_line_are_read_one_after_the_other() -> None:
    rows = zip(LEFT, RIGHT, strict=True)
    drawing = b"".join(text(60, 700 - 12 * i, a) + text(320, 700 - 12 * i, b) for i, (a, b) in enumerate(rows))
    found = " ".join(texts(document([drawing])))
    assert found == " ".join(LEFT) + " " + " ".join(RIGHT)


def test_a_title_over_both_columns_and_a_footnote_below_keep_their_places() -> None:
    title = text(60, 740, "On the harbour and on everything else that was ever built beside it", 16)
    drawing = lines(320, 700, RIGHT) + lines(60, 700, LEFT) + title
    drawing += text(
        60, 600, "This line runs below both of the columns, from one edge of the page to the other one, as it must."
    )
    found = texts(document([drawing]))
    assert found[0].startswith("On the harbour")
    assert found[1].startswith("The harbour of the old town")
    assert found[2].startswith("In later years")
    assert found[3].startswith("This line runs below")


def test_short_cells_beside_one_another_are_rows_not_columns() -> None:
    cells = [("Monday", "9 to 18"), ("Tuesday", "9 to 18"), ("Friday", "9 to 20"), ("Sunday", "closed")]
    drawing = b"".join(text(60, 700 - 14 * i, a) + text(200, 700 - 14 * i, b) for i, (a, b) in enumerate(cells))
    (found,) = read(document([drawing])).elements
    assert found.kind is Kind.TABLE
    assert found.rows == tuple(cells)
    assert found.text.split("\n")[3] == "Sunday | closed"


def test_a_ruled_table_keeps_its_rows_and_an_empty_cell() -> None:
    xs, ys = (60, 160, 260, 360), (700, 680, 660, 640)
    grid = b"".join(rule(x, ys[0], x, ys[-1]) for x in xs) + b"".join(rule(xs[0], y, xs[-1], y) for y in ys)
    cells = [("Model", "Per day", "Per week"), ("City", "14", "70"), ("Cargo", "", "190")]
    words = b"".join(text(xs[j] + 5, ys[i] - 14, cell) for i, row in enumerate(cells) for j, cell in enumerate(row))
    found = read(document([text(60, 720, "Prices in euros.") + grid + words])).elements
    assert [element.kind for element in found] == [Kind.TEXT, Kind.TABLE]
    assert found[1].rows == tuple(cells)
    assert found[1].box is not None
    assert (found[1].box.left, found[1].box.top) == (60, HEIGHT - 700)


def ruled(top: float, cells: list[tuple[str, ...]], xs: tuple[int, ...] = (60, 160, 260, 360)) -> bytes:
    ys = [top - 20 * i for i in range(len(cells) + 1)]
    grid = b"".join(rule(x, ys[0], x, ys[-1]) for x in xs) + b"".join(rule(xs[0], y, xs[-1], y) for y in ys)
    return grid + b"".join(
        text(xs[j] + 5, ys[i] - 14, cell) for i, row in enumerate(cells) for j, cell in enumerate(row)
    )


def test_a_table_that_goes_on_over_the_page_takes_its_header_along() -> None:
    header = ("Model", "Per day", "Per week")
    first, second = [header, ("City", "14", "70"), ("Cargo", "38", "190")], [("Road", "20", "99"), ("Kids", "9", "45")]
    footer = text(300, 30, "Price list 2024")
    pages = [text(60, 720, "Prices.") + ruled(160, first) + footer, ruled(740, second) + footer]
    tables = [element for element in read(document([*pages, footer])).elements if element.rows]
    assert [table.rows for table in tables] == [tuple(first), (header, *second)]
    assert [table.page for table in tables] == [1, 2]
    repeated = document([pages[0], ruled(740, [header, *second]) + footer, footer])
    assert [element.rows for element in read(repeated).elements if element.rows] == [tuple(first), (header, *second)]


def test_a_table_of_another_shape_or_after_words_is_a_table_of_its_own() -> None:
    first = ruled(160, [("Model", "Per day", "Per week"), ("City", "14", "70")])
    rows = [("Road", "20", "99"), ("Kids", "9", "45")]
    for other in (
        text(60, 650, "And now for something else.") + ruled(600, rows),
        ruled(600, rows, (60, 200, 300, 500)),
        ruled(600, [row[:2] for row in rows], (60, 160, 360)),
    ):
        found = [element.rows for element in read(document([first, other])).elements if element.rows]
        assert found[1][0][0] == "Road"


def test_lines_of_a_paragraph_are_joined_and_cut_words_are_mended() -> None:
    drawing = lines(
        60,
        700,
        [
            "The insurance covers the bicycle against theft and dam-",
            "age by others, but neither loss nor wear. The part-time",
            "staff of the shop, and the Anglo-",
            "American owners, are covered as well as everybody else.",
        ],
    )
    assert texts(document([drawing])) == [
        "The insurance covers the bicycle against theft and damage by others, but neither loss nor wear. The part-time "
        "staff of the shop, and the Anglo-American owners, are covered as well as everybody else."
    ]


def test_a_gap_an_indent_or_an_early_end_begins_a_paragraph() -> None:
    full = "This line is as long as the column is wide and goes on in the next"
    gap = lines(60, 700, [full, "one below."]) + lines(60, 660, [full, "one as well."])
    early = lines(60, 600, [full, "which ends here.", full, "and ends again."])
    assert len(texts(document([gap + early]))) == 4
    indented = lines(60, 500, [full, full]) + text(80, 476, full[:60]) + text(60, 464, full)
    assert len(texts(document([indented]))) == 2


def test_list_items_stay_apart_and_keep_their_second_lines() -> None:
    drawing = text(60, 700, "• a helmet, which everybody under sixteen must wear on our") + text(
        70, 688, "tours, and a lock"
    )
    drawing += text(60, 676, "• a pump")
    found = read(document([drawing])).elements
    assert [(e.kind, e.text) for e in found] == [
        (Kind.LIST_ITEM, "• a helmet, which everybody under sixteen must wear on our tours, and a lock"),
        (Kind.LIST_ITEM, "• a pump"),
    ]


def test_headings_are_told_by_size_and_weight_and_make_the_path() -> None:
    body = [PROSE, PROSE]
    drawing = (
        text(60, 740, "Handbook", 22) + lines(60, 710, body) + text(60, 670, "Repairs", 14, "F2") + lines(60, 650, body)
        + text(60, 610, "Brakes", 10, "F2") + lines(60, 590, body)
    )  # fmt: skip
    found = read(document([drawing]))
    assert headings(found) == [("Handbook", 1), ("Repairs", 3), ("Brakes", 6)]
    assert found.title == "Handbook"
    assert chunk(found)[-1].heading_path == ("Handbook", "Repairs", "Brakes")


def test_bold_sentences_and_addresses_are_no_headings() -> None:
    drawing = (
        lines(60, 740, [PROSE] * 3) + text(60, 680, "This must never happen again.", 10, "F2") + lines(60, 660, [PROSE])
    )
    drawing += text(60, 620, "https://example.org/help", 14)
    assert headings(read(document([drawing]))) == []


def test_running_lines_and_page_numbers_are_gone_but_a_letterhead_is_kept_once() -> None:
    pages = [
        text(60, 765, "Larkfield Cycles, Harbour Road 5")
        + lines(60, 700, [f"What stands on page {n * n} is about something else than the others are."])
        + text(300, 30, f"Page {n} of 4")
        for n in range(1, 5)
    ]
    found = texts(document(pages))
    assert [line for line in found if "Larkfield" in line] == ["Larkfield Cycles, Harbour Road 5"]
    assert not any(line.startswith("Page ") and " of 4" in line for line in found)
    assert sum("something else" in line for line in found) == 4


def test_a_chapter_at_the_top_of_each_page_is_not_a_running_line() -> None:
    pages = [text(60, 760, f"Chapter {n}", 16) + lines(60, 640, [PROSE] * n) for n in range(1, 6)]
    assert [name for name, _ in headings(read(document(pages)))] == [f"Chapter {n}" for n in range(1, 6)]


def test_parts_of_a_document_make_the_whole() -> None:
    body = [f"The year {1900 + n} was a quiet one in the harbour, as far as anybody can tell today." for n in range(40)]
    pages = [
        text(60, 770, "Chronicle")
        + text(60, 730, f"Year {n}", 14, "F2")
        + lines(60, 700, body[n : n + 3])
        + text(300, 20, str(n + 1))
        for n in range(30)
    ]
    data = document(pages)
    parts = [read(data, range(start, start + 10)) for start in (0, 10, 20)]
    assert join(parts) == read(data)
    assert [element.page for element in parts[1].elements][:1] == [11]
    assert parts[1].title == ""


def test_a_short_last_part_knows_what_runs_through_the_pages_before_it() -> None:
    sides = ("Chronicle of the Harbour", "Larkfield, the Early Years")
    pages = [
        text(60, 770, sides[n % 2]) + lines(60, 600, [f"The year {1900 + n} was a quiet one."]) for n in range(130)
    ]
    found = read(document(pages), range(128, 130)).elements
    assert [element.text for element in found] == ["The year 2028 was a quiet one.", "The year 2029 was a quiet one."]


def test_running_text_has_the_size_that_most_of_the_document_has() -> None:
    small = [lines(60, 700, [PROSE] * 20, 8, 10) for _ in range(5)]
    usual = [text(60, 730, f"Repairs of Year {n}", 14) + lines(60, 700, [PROSE] * 20, 12, 15) for n in range(60)]
    data = document([*usual, *small])
    assert [level for _, level in headings(read(data, range(60)))] == [4] * 60
    assert headings(read(data, range(60, 65))) == []
    few = read(data, range(4))
    assert [level for _, level in headings(few)] == [4] * 4


def test_progress_counts_the_pages() -> None:
    told: list[int] = []
    extract(document([text(60, 700, "Words.")] * 5), "pdf", "a.pdf", range(1, 4), told.append)
    assert told == [1, 2, 3]


def test_a_document_without_a_title_is_called_by_its_file() -> None:
    assert read(document([text(60, 700, PROSE)])).title == "made by hand"
