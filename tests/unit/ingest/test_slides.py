"""Slides keep their number, their title and what the speaker says to them."""

import io

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm

from pipelines.ingest.chunk import chunk
from pipelines.ingest.elements import Extraction, Kind
from pipelines.ingest.extract import extract
from tests.unit.ingest.offices import ppt


def deck() -> bytes:
    show, buffer = Presentation(), io.BytesIO()
    first = show.slides.add_slide(show.slide_layouts[1])
    first.shapes.title.text = "Harbour 港"
    body = first.placeholders[1].text_frame
    body.text = "Two cranes"
    body.add_paragraph().text = "Three quays"
    first.notes_slide.notes_text_frame.text = "Mention the fog."
    second = show.slides.add_slide(show.slide_layouts[6])
    grid = second.shapes.add_table(3, 2, Cm(1), Cm(5), Cm(10), Cm(3)).table
    for at, text in enumerate(("Quay", "Ships", "North", "5", "", "6")):
        grid.cell(at // 2, at % 2).text = text
    grid.cell(1, 0).merge(grid.cell(2, 0))
    box = second.shapes.add_textbox(Cm(1), Cm(1), Cm(5), Cm(1))
    box.text_frame.text = "Above the table"
    group = second.shapes.add_group_shape()
    group.shapes.add_textbox(Cm(1), Cm(12), Cm(5), Cm(1)).text_frame.text = "In a group"
    third = show.slides.add_slide(show.slide_layouts[5])
    third.shapes.title.text = "Numbers"
    numbers = CategoryChartData()
    numbers.categories = ["North", "South"]
    numbers.add_series("Ships", (5, 6))
    third.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1), Cm(1), Cm(5), Cm(5), numbers)
    show.save(buffer)
    return buffer.getvalue()


def test_slides_are_read_in_order_with_tables_charts_and_notes() -> None:
    found = extract(deck(), "pptx", "a.pptx")
    assert found.pages == 3
    assert [(e.page, e.kind, e.text) for e in found.elements] == [
        (1, Kind.TITLE, "Harbour 港"),
        (1, Kind.LIST_ITEM, "• Two cranes"),
        (1, Kind.LIST_ITEM, "• Three quays"),
        (1, Kind.TITLE, "Notes"),
        (1, Kind.TEXT, "Mention the fog."),
        (2, Kind.TITLE, "Slide 2"),
        (2, Kind.TEXT, "Above the table"),
        (2, Kind.TABLE, "Quay | Ships\nNorth | 5\nNorth | 6"),
        (2, Kind.TEXT, "In a group"),
        (3, Kind.TITLE, "Numbers"),
        (3, Kind.TABLE, " | Ships\nNorth | 5\nSouth | 6"),
    ]
    assert found.title == "Harbour 港"


def test_a_chunk_knows_its_slide() -> None:
    chunks = chunk(extract(deck(), "pptx", "a.pptx"))
    assert [(c.heading_path, c.page_from, c.page_to) for c in chunks] == [
        (("Harbour 港",), 1, 1),
        (("Harbour 港", "Notes"), 1, 1),
        (("Slide 2",), 2, 2),
        (("Numbers",), 3, 3),
    ]


def test_old_slides_are_read_like_new_ones() -> None:
    slides = [("First – one", "some text\rmore of it", "say this"), ("Second", "other", "")]
    found: Extraction = extract(ppt(slides), "ppt", "a.ppt")
    assert found.pages == 2
    assert [(e.page, e.kind, e.text) for e in found.elements] == [
        (1, Kind.TITLE, "First – one"),
        (1, Kind.LIST_ITEM, "• some text"),
        (1, Kind.LIST_ITEM, "• more of it"),
        (1, Kind.TITLE, "Notes"),
        (1, Kind.TEXT, "say this"),
        (2, Kind.TITLE, "Second"),
        (2, Kind.TEXT, "other"),
    ]


def test_old_slides_without_their_directory_keep_their_words() -> None:
    data = bytearray(ppt([("First", "some text", "")]))
    at = data.rindex(b"\xf5\x0f")  # where the last edit is told
    data[at] = 0
    text = " ".join(e.text for e in extract(bytes(data), "ppt", "a.ppt").elements)
    assert "First" in text
    assert "some text" in text
