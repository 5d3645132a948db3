"""A page becomes a picture of bounded size, its quoted lines are found, and a hostile file harms nobody."""

import io
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PIL import Image

from pipelines.ingest import page_image
from pipelines.ingest.page_image import Wanted, draw
from pipelines.ports.passages import Box
from schemas.errors.files import Bomb, Damaged, Encrypted, WrongPassword
from schemas.errors.requests import NoPages, NotFound
from schemas.errors.tree import Permanent

SAMPLE = (Path(__file__).parents[3] / "docs" / "samples" / "employee-handbook.pdf").read_bytes()


def blank(width: float, height: float, rotation: int = 0) -> bytes:
    document, out = pdfium.PdfDocument.new(), io.BytesIO()
    document.new_page(width, height).set_rotation(rotation)
    document.save(out)
    return out.getvalue()


@pytest.mark.parametrize("size", [(1, 14_400), (14_400, 1), (14_400, 14_400), (3, 3)])
def test_a_giant_page_makes_no_giant_picture(size: tuple[float, float]) -> None:
    page = draw(blank(*size), "pdf", None, Wanted(1, 2000, (Box(1, 0, 0, 1e9, 1e9),)))
    width, height = Image.open(io.BytesIO(page.png)).size
    assert width <= 2000
    assert height <= 8001


def test_a_turned_page_is_shown_as_a_viewer_shows_it() -> None:
    page = draw(blank(200, 100, 90), "pdf", None, Wanted(1, 100))
    assert (page.width_pt, page.height_pt) == (100, 200)
    assert Image.open(io.BytesIO(page.png)).size == (100, 200)


def test_every_sentence_is_found_on_its_page() -> None:
    quote = "We employ 42 people. Of these, 23 work all year round and 19 work with us for the season"
    page = draw(SAMPLE, "pdf", None, Wanted(1, quote=quote), picture=False)
    assert len(page.boxes) == 2  # It runs over two lines.
    assert all(box.bottom - box.top < 12 for box in page.boxes)
    assert page.png == b""


@pytest.mark.parametrize(
    "quote", ["", "\n", "Elephants live in Africa and eat a lot of grass every day.", "…!?", "a" * 5000]
)
def test_what_is_not_on_the_page_is_not_marked(quote: str) -> None:
    page = draw(SAMPLE, "pdf", None, Wanted(1, quote=quote), picture=False)
    assert page.boxes == ()


def test_a_quotation_that_begins_alike_and_goes_on_otherwise_is_not_marked() -> None:
    quote = "Larkfield Bikes rents out and repairs electric bikes to elephants, whales, giraffes and many other animals"
    page = draw(SAMPLE, "pdf", None, Wanted(1, quote=quote), picture=False)
    assert page.boxes == ()


def test_where_the_quotation_is_not_found_the_paragraph_is_marked() -> None:
    box = Box(1, 10, 10, 20, 20)
    assert draw(SAMPLE, "pdf", None, Wanted(1, 100, (box,), "Elephants are not here"), picture=False).boxes == (box,)


def test_a_sentence_that_goes_on_overleaf_is_marked_on_both_pages() -> None:
    text = draw(SAMPLE, "pdf", None, Wanted(1), picture=False).text
    end = " ".join(text.split())[-40:]
    found = draw(SAMPLE, "pdf", None, Wanted(1, quote=f"{end} and then it goes on overleaf"), picture=False)
    assert found.boxes


@pytest.mark.parametrize(
    ("data", "file_type", "number", "error"),
    [
        (SAMPLE, "pdf", 0, NotFound),
        (SAMPLE, "pdf", 99, NotFound),
        (SAMPLE, "docx", 1, NoPages),
        (b"%PDF-1.7\nnothing", "pdf", 1, Damaged),
        (b"", "pdf", 1, Damaged),
        (b"no picture", "png", 1, Damaged),
    ],
)
def test_what_cannot_be_shown_is_refused(data: bytes, file_type: str, number: int, error: type[Permanent]) -> None:
    with pytest.raises(error):
        draw(data, file_type, None, Wanted(number))


def test_a_locked_file_needs_its_password() -> None:
    import pypdf

    out = io.BytesIO()
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(SAMPLE))
    writer.encrypt("open sesame", algorithm="AES-256")
    writer.write(out)
    assert draw(out.getvalue(), "pdf", "open sesame", Wanted(1), picture=False).pages > 1
    with pytest.raises(Encrypted):
        draw(out.getvalue(), "pdf", None, Wanted(1))
    with pytest.raises(WrongPassword):
        draw(out.getvalue(), "pdf", "wrong", Wanted(1))


def test_a_bomb_of_a_picture_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(Bomb):
        draw(out.getvalue(), "png", None, Wanted(1))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16", "CMYK"])
def test_pictures_of_every_mode_are_shown(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (40, 20)).save(out, "TIFF" if mode == "CMYK" else "PNG")
    page = draw(out.getvalue(), "tiff" if mode == "CMYK" else "png", None, Wanted(1, 100))
    assert Image.open(io.BytesIO(page.png)).size == (100, 50)


@pytest.mark.timeout(250)
def test_a_page_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # A form that draws itself twice, thirty deep: 2^30 times.
    monkeypatch.setattr(page_image, "LIMITS", page_image.Limits(1 << 29, 2))
    names = range(30)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Resources<</XObject<</X 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length 5>>stream\n/X Do\nendstream",
    ]
    for n in names:
        below = b"/X %d 0 R" % (n + 6) if n < 29 else b""
        drawn = b"/X Do /X Do" if n < 29 else b"0 0 99 99 re f"
        objects.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 100 100]/Resources<</XObject<<%s>>>>/Length %d>>stream\n%s\nendstream"
            % (below, len(drawn), drawn)
        )
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (n, one) for n, one in enumerate(objects, 1))
    data = body + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF" % (len(objects) + 1)
    with pytest.raises(Bomb):
        draw(data, "pdf", None, Wanted(1))
