"""Each page of a document is read the way that suits it: its text, the picture of it, or an OCR layer under it."""

import pytest

from pipelines.ingest.formats.pdf import read
from pipelines.ingest.formats.pdf.scan import is_garbled
from tests.unit.ingest.pdfs import HEIGHT, WIDTH, document, lines, picture_of, stream, text

PROSE = [
    "The harbour of the old town was built long before",
    "anybody wrote down what ships came in and when so",
    "the oldest list of them begins in the middle ages",
    "and names a few that carried salt and dried fish.",
]


def pages(data: bytes) -> dict[int | None, str]:
    found: dict[int | None, str] = {}
    for element in read(data, None, lambda _: None).elements:
        found[element.page] = f"{found.get(element.page, '')} {element.text}".strip()
    return found


def mapped(unicode_of: dict[int, str]) -> bytes:
    """Return the file of a page that shows prose in a font that says its letters are others."""
    pairs = "".join(f"<{code:02x}> <{ord(sign):04x}>\n" for code, sign in unicode_of.items())
    head = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
    space = "1 begincodespacerange <00> <ff> endcodespacerange\n"
    cmap = f"{head}{space}{len(unicode_of)} beginbfchar\n{pairs}endbfchar endcmap end end".encode()
    plain = document([lines(60, 700, PROSE * 2, 12, 16)], rest=[stream(cmap)])
    return plain.replace(b"/BaseFont/Helvetica/", b"/BaseFont/Helvetica/ToUnicode 5 0 R/")


def shifted(code: int) -> str:
    """Return what a letter becomes where a font's codes, 29 below ASCII, are taken for letters."""
    return chr(code - 29) if code > 61 else chr(code)


@pytest.mark.parametrize(
    "wrong",
    [
        {code: chr(0xE000 + code) for code in range(33, 127)},
        dict.fromkeys(range(33, 127), "�"),
        {code: shifted(code) for code in range(33, 127)},
        {code: "!#$%&()+/<=>?@"[code % 14] for code in range(33, 127)},
    ],
    ids=["private", "unknown", "shifted", "signs"],
)
def test_a_text_layer_of_nonsense_is_not_believed(wrong: dict[int, str]) -> None:
    found = pages(mapped(wrong))[1]
    assert all(line in found for line in PROSE)


def test_a_layer_of_glyph_numbers_is_not_believed() -> None:
    assert is_garbled("(cid:3)(cid:17) (cid:204)\r\n(cid:3)(cid:17)(cid:204)\r\n" * 9)


@pytest.mark.parametrize(
    "fair",
    [
        "Szczęście sprzyja lepszym, a chrząszcz brzmi w trzcinie w Szczebrzeszynie. " * 9,
        "Smrt vlka přišla v prvním čtvrtletí; čtvrtý den mrzlo a vítr hrozně skřípal ve vrbách. " * 9,
        "Причал старого города был построен задолго до того, как кто-либо записал, какие суда сюда приходили. " * 5,
        "港は町より古く、いつ建てられたかは誰も知らない。" * 20,
        "1,204.50 | 38 % | 7 of 12 | 2024-05-01 | 99.9 | 1,300.00 | " * 20,
        "Introduction ............................................ 3\r\n" * 20,
        "AX-1204 / BX-3391 / TRQ-77 / HGF-1 / PLM-290 / KJ-1 / 12 / RD-44 / " * 9,
        "x = (a + b) * c[i] / {d: 1}; if (x > y && !z) { return f(x, y); } " * 9,
        "GET /v1/items?page=2 HTTP/1.1\r\nHost: example.org\r\n" * 9,
        "",
    ],
)
def test_unusual_text_is_believed(fair: str) -> None:
    assert not is_garbled(fair)


def test_nonsense_that_shows_nothing_better_is_kept() -> None:
    codes = ["BCDFG HJKLM NPQRS TVWXZ " * 3] * 8
    assert "BCDFG HJKLM" in pages(document([lines(30, 700, codes, 4, 9)]))[1]


def test_an_invisible_layer_under_a_scan_is_taken_as_it_is() -> None:
    words = [line.replace("harbour", "HARBOUR-AS-CORRECTED-BY-HAND") for line in PROSE]
    hidden = b"3 Tr " + lines(60, 700, words, 12, 16)
    found = pages(picture_of(document([lines(60, 700, PROSE, 12, 16)]), more=hidden.replace(b"/F1", b"/F1")))
    assert found == {1: " ".join(words)}


def test_each_page_of_a_mixed_document_is_read_in_its_own_way() -> None:
    scan = picture_of(document([lines(60, 700, PROSE, 12, 16)]))
    image = scan[scan.index(b"5 0 obj\n") + 8 : scan.index(b"\nendobj\n6 0 obj")]
    drawn = f"q {WIDTH} 0 0 {HEIGHT} 0 0 cm /I Do Q\n".encode()
    layer = b"3 Tr " + lines(
        60,
        700,
        [
            "A layer of text lies under this picture,",
            "put there by whoever scanned it,",
            "long enough that nobody takes it for",
            "a stamp or for the number of a page.",
        ],
        12,
        16,
    )
    turned = b"q 0 1 -1 0 500 100 cm " + lines(0, 0, ["Turned as a whole, the page is read."]) + b"Q"
    data = document(
        [text(60, 700, "A page of plain text."), drawn, drawn + layer, b"", turned],
        resources="/XObject<</I 5 0 R>>",
        rest=[image],
    )
    found = pages(data)
    assert found[1] == "A page of plain text."
    assert found[2] == " ".join(PROSE)
    assert found[3].startswith("A layer of text lies under this picture, put there")
    assert "harbour" not in found[3]
    assert 4 not in found
    assert found[5] == "Turned as a whole, the page is read."
