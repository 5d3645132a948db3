"""Pictures of text are read however they are stored, and none is decoded that is too large."""

import io
import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipelines.ingest.extract import count_pages, extract
from pipelines.ingest.formats import image
from pipelines.ingest.sniff import file_type
from schemas.errors.files import Bomb, Damaged
from schemas.errors.tree import AuraError
from schemas.errors.uploads import TypeMismatch, UnsupportedType

LINES = ("Opening hours of the library", "The reading room opens at nine", "and closes at seven in the evening.")


@cache
def drawn(text: tuple[str, ...] = LINES, size: int = 40) -> Image.Image:
    """Return black text on white, in 8-bit gray."""
    font = ImageFont.load_default(size)
    picture = Image.new("L", (size * 22, size * 2 * (len(text) + 1)), 255)
    for i, line in enumerate(text):
        ImageDraw.Draw(picture).text((size, size * (2 * i + 1)), line, fill=0, font=font)
    return picture


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def read(data: bytes, name: str = "a.png") -> str:
    kind = file_type(name, data[:8192], data[-8192:])
    return " ".join(element.text for element in extract(data, kind, name).elements)


def is_read(data: bytes, name: str = "a.png") -> bool:
    words = read(data, name).split()
    said = " ".join(LINES).split()
    return sum(word in words for word in said) >= 0.9 * len(said)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("PNG", "a.png"), ("JPEG", "a.jpg"), ("TIFF", "a.tif"), ("WEBP", "a.webp"), ("BMP", "a.bmp"), ("GIF", "a.gif")],
)
def test_each_format_is_read(kind: str, name: str) -> None:
    assert is_read(saved(drawn(), kind), name)


def looks_as_drawn(data: bytes) -> bool:
    """Tell whether a picture is shown to the reader as it was drawn: upright, black on white."""
    gray = image._gray(data, 0)
    if (gray.width > gray.height) != (drawn().width > drawn().height):
        return False
    seen, meant = (np.asarray(one.resize(drawn().size), float) for one in (gray, drawn()))
    return bool(np.abs(seen - meant).mean() < 10)


@pytest.mark.parametrize("mode", ["1", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F", "YCbCr"])
def test_each_mode_is_shown_as_it_looks(mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(drawn(), np.uint16) * 16)  # Twelve bits in sixteen, as scanners write.
    else:
        picture = drawn().convert("RGB" if mode in {"YCbCr", "CMYK"} else "L").convert(mode)
    assert looks_as_drawn(saved(picture, "TIFF"))


def test_what_is_transparent_is_white() -> None:
    letters = Image.new("RGBA", drawn().size, (0, 0, 0, 0))
    letters.paste((0, 0, 0, 255), mask=drawn().point(lambda value: 255 - value))
    assert looks_as_drawn(saved(letters, "PNG"))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG"])
def test_a_picture_taken_sideways_is_turned_upright(kind: str, orientation: int) -> None:
    turned = drawn().rotate({1: 0, 3: 180, 6: 90, 8: 270}[orientation], expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert looks_as_drawn(saved(turned, kind, exif=exif))


def test_small_letters_are_enlarged() -> None:
    assert is_read(saved(drawn(size=14), "PNG"))


def test_pages_of_a_tiff_are_counted_and_read_apart() -> None:
    texts = (("The first page is about apples",), ("The second page is about pears",), ("The third is about plums",))
    pages = [drawn(text) for text in texts]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert count_pages(data, "tiff") == 3
    told: list[int] = []
    found = extract(data, "tiff", "a.tiff", progress=told.append)
    assert [(one.page, one.text.split()[-1]) for one in found.elements] == [(1, "apples"), (2, "pears"), (3, "plums")]
    assert told == [1, 2, 3]
    part = extract(data, "tiff", "a.tiff", range(1, 2))
    assert [(one.page, one.text.split()[-1]) for one in part.elements] == [(2, "pears")]


def test_a_moving_picture_is_one_page() -> None:
    data = saved(drawn(), "GIF", save_all=True, append_images=[drawn(("Another frame altogether",))])
    assert count_pages(data, "gif") == 1
    assert is_read(data, "a.gif")


def test_a_picture_under_another_pictures_name_is_read() -> None:
    assert file_type("a.jpg", saved(drawn(), "PNG")) == "png"
    with pytest.raises(TypeMismatch):
        file_type("a.jpg", b"MZ\x90\0")


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.heic", b"\0\0\0\x18ftypheic"),
        ("a", b"\0\0\0\x18ftypheic"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    ],
)
def test_other_kinds_of_picture_are_refused_by_name(name: str, head: bytes) -> None:
    with pytest.raises(UnsupportedType, match=r"\.png"):
        file_type(name, head)


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_picture_that_is_too_large_is_not_decoded() -> None:
    for width, height in ((100_000, 100_000), (7_100, 7_100), (2**31 - 1, 1)):
        with pytest.raises(Bomb):
            extract(png(width, height), "png", "a.png")


@pytest.mark.parametrize(
    "data",
    [b"", b"\x89PNG\r\n\x1a\n", png(100, 100), b"\xff\xd8\xff", b"GIF89a", b"II*\0" + bytes(20), b"BM" + bytes(60)],
)
def test_a_picture_cut_short_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged):
        extract(data, "png", "a.png")


def test_a_picture_without_letters_has_no_text() -> None:
    assert read(saved(Image.new("L", (400, 400), 200), "PNG")) == ""
    assert read(saved(Image.new("RGBA", (1, 1)), "PNG")) == ""


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
def test_cut_and_flipped_pictures_raise_nothing_else(kind: str) -> None:
    whole = saved(drawn(("Word",), 12), kind)
    rng = np.random.default_rng(1)
    for _ in range(40):
        data = bytearray(whole[: rng.integers(1, len(whole) + 1)])
        for at in rng.integers(0, len(data), rng.integers(0, 10)):
            data[at] = rng.integers(0, 256)
        try:
            image.count_pages(bytes(data))
            image._as_page(image._gray(bytes(data), 0))
        except AuraError:
            continue
