"""Where things are on a page, however it is turned or cut, and pages that are pictures."""

import pytest

from pipelines.ingest.elements import Extraction, Kind
from pipelines.ingest.extract import extract
from pipelines.ports.passages import Box
from tests.unit.ingest.pdfs import HEIGHT, WIDTH, document, file, lines, picture_of, stream, text

PROSE = [
    "The harbour of the old town was built long before",
    "anybody wrote down what ships came in and when so",
    "the oldest list of them begins in the middle ages",
]


def read(data: bytes) -> Extraction:
    return extract(data, "pdf", "a.pdf")


def box_of(found: Extraction, words: str) -> Box:
    box = next(element.box for element in found.elements if words in element.text)
    assert box is not None
    return box


def near(box: Box, left: float, top: float, slack: float = 4) -> bool:
    return abs(box.left - left) <= slack and abs(box.top - top) <= slack


def test_a_box_is_counted_from_the_top_left() -> None:
    box = box_of(read(document([text(100, 700, "Place")])), "Place")
    assert near(box, 100, HEIGHT - 707)
    assert box.page == 1
    assert 20 < box.right - box.left < 30


def test_a_box_on_a_page_that_does_not_begin_at_zero_is_counted_from_what_shows() -> None:
    data = document([text(300, 700, "Place") + text(20, 20, "Outside")], more="/CropBox[200 100 500 750]")
    found = read(data)
    assert near(box_of(found, "Place"), 100, 43)
    assert [element.text for element in found.elements] == ["Place"]


@pytest.mark.parametrize(
    ("turn", "matrix", "left", "top"),
    [
        (90, "0 1 -1 0 500 100", 100, 493),
        (180, "-1 0 0 -1 500 100", WIDTH - 500, 93),
        (270, "0 -1 1 0 100 700", HEIGHT - 700, WIDTH - 100 - 7),
    ],
)
def test_a_turned_page_is_read_and_measured_as_it_is_shown(turn: int, matrix: str, left: float, top: float) -> None:
    drawing = f"q {matrix} cm ".encode() + lines(0, 0, PROSE) + b"Q"
    found = read(document([drawing], more=f"/Rotate {turn}"))
    assert [element.text for element in found.elements] == [" ".join(PROSE)]
    box = box_of(found, "harbour")
    assert near(box, left, top)
    assert box.right - box.left > 150
    assert 30 < box.bottom - box.top < 40


def test_sideways_text_comes_after_the_upright_text() -> None:
    side = b"q 0 1 -1 0 30 300 cm " + text(0, 0, "Printed in 2024") + b"Q\n"
    found = read(document([side + lines(60, 700, PROSE)]))
    assert [element.text for element in found.elements] == [" ".join(PROSE), "Printed in 2024"]


def test_what_was_filled_into_a_form_is_read() -> None:
    shown = stream(
        b"BT /F1 10 Tf 2 4 Td (Marlowe) Tj ET",
        "/Type/XObject/Subtype/Form/BBox[0 0 100 15]"
        "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>",
    )
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Marlowe)/Rect[150 695 250 710]/F 4/AP<</N 6 0 R>>/P 3 0 R>>"
    content = stream(b"BT /F1 10 Tf 60 700 Td (Name of the guest:) Tj ET")
    data = file(
        [
            b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Annots[5 0 R]"
            b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
            content,
            field,
            shown,
        ]
    )
    assert " ".join(element.text for element in read(data).elements) == "Name of the guest: Marlowe"


def test_a_scanned_page_is_read_with_its_places() -> None:
    title = text(60, 720, "Opening hours", 20, "F2")
    found = read(picture_of(document([title + lines(60, 680, PROSE, 12, 15)])))
    assert found.elements[0].text == "Opening hours"
    assert found.elements[0].kind is Kind.TITLE
    assert " ".join(PROSE) in " ".join(element.text for element in found.elements)
    assert near(box_of(found, "Opening"), 60, HEIGHT - 720 - 15, 6)


@pytest.mark.parametrize(("turn", "left", "top"), [(90, 617, 60), (180, 266, 617), (270, 84, 266)])
def test_a_page_that_was_scanned_sideways_is_turned(turn: int, left: float, top: float) -> None:
    prose = [*PROSE, *(line.replace("harbour", "river") for line in PROSE)]
    found = read(picture_of(document([lines(60, 700, prose, 12, 16)]), rotation=turn))
    assert " ".join(element.text for element in found.elements) == " ".join(prose)
    assert near(box_of(found, "harbour"), left, top)


def test_a_stamp_on_a_scan_does_not_hide_the_scan() -> None:
    scan = document([lines(60, 700, PROSE, 12, 15)])
    stamped = picture_of(scan, more=text(60, 20, "Received 5 May"))
    assert " ".join(PROSE) in " ".join(element.text for element in read(stamped).elements)


def test_a_blank_page_has_nothing_and_fails_nothing() -> None:
    found = read(document([b"", text(60, 700, "Words on the second page.")]))
    assert [(element.page, element.text) for element in found.elements] == [(2, "Words on the second page.")]
