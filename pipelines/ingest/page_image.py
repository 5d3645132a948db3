"""A page of a document as a picture, with what is cited marked on it. Drawn in a child process: see `apart`."""

import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pypdfium2 as pdfium
from PIL import Image, ImageDraw

from pipelines.ingest import quoted
from pipelines.ingest.apart import Limits, run_apart
from pipelines.ingest.formats import image
from pipelines.ingest.formats.pdf.opening import opened
from pipelines.ports.passages import Box
from schemas.errors.files import Damaged
from schemas.errors.requests import NoPages, NotFound
from schemas.tables.knowledge import PAGED_TYPES

LIMITS = Limits(memory_bytes=1 << 29, cpu_s=15)
MAX_HEIGHTS = 4
"""A page is drawn at most so many times as high as it is wide; of a longer one the rest is left out by scaling."""

MAX_TEXT_CHARS = 100_000
_FILL, _LINE = (255, 214, 0, 80), (214, 120, 0, 255)


@dataclass(frozen=True)
class Wanted:
    """Page `number`, from 1, `width_px` wide, with these boxes marked, or those on which the quotation stands.

    `boxes` are marked where the quotation is not found.
    """

    number: int
    width_px: int = 1000
    boxes: tuple[Box, ...] = ()
    quote: str = ""


@dataclass(frozen=True)
class Page:
    """Size in points, number of pages, text, and the boxes that were marked; `png` is empty if none was asked for."""

    page: int
    pages: int
    width_pt: float
    height_pt: float
    text: str
    boxes: tuple[Box, ...]
    png: bytes = b""

    def facts(self) -> dict[str, object]:
        """Return all but the picture, as JSON."""
        about = {"page": self.page, "pages": self.pages, "width_pt": self.width_pt, "height_pt": self.height_pt}
        return {**about, "text": self.text, "boxes": [asdict(box) for box in self.boxes]}


def draw(data: bytes, file_type: str, password: str | None, wanted: Wanted, *, picture: bool = True) -> Page:
    """Return the page; with `picture` as PNG too. Raises NoPages, NotFound, Encrypted, WrongPassword, Damaged, Bomb."""
    if file_type not in PAGED_TYPES:
        raise NoPages
    if file_type == "pdf":
        return run_apart(lambda _: _of_pdf(data, password, wanted, picture), _ignored, LIMITS)
    return run_apart(lambda _: _of_picture(data, wanted, picture), _ignored, LIMITS)


def _of_pdf(data: bytes, password: str | None, wanted: Wanted, picture: bool) -> Page:
    with opened(data, password) as document:
        count = len(document)
        if not 1 <= wanted.number <= count:
            raise NotFound(f"The document has {count} page{'s' * (count != 1)}.")
        document.init_forms()
        try:
            page = document[wanted.number - 1]
            text = page.get_textpage().get_text_bounded()[:MAX_TEXT_CHARS]
            boxes = (tuple(quoted.places(page, wanted.number, wanted.quote)) if wanted.quote else ()) or wanted.boxes
            width, height = (max(1.0, side) for side in page.get_size())
            png = _png(_drawn(page, width, height, wanted.width_px), boxes, width, height) if picture else b""
        except pdfium.PdfiumError as error:
            raise Damaged("This page cannot be read.") from error
        # What is no Unicode, as half a surrogate pair, no JSON can carry.
        plain = text.encode(errors="replace").decode().replace("\x00", "")
        return Page(wanted.number, count, round(width, 1), round(height, 1), plain, boxes, png)


def _drawn(page: pdfium.PdfPage, width: float, height: float, width_px: int) -> Image.Image:
    # A hair less, because pdfium rounds up.
    scale = (1 - 1e-6) * min(width_px / width, MAX_HEIGHTS * width_px / height)
    bitmap = page.render(scale=scale, may_draw_forms=True, rev_byteorder=True, fill_color=(255, 255, 255, 255))
    found: Image.Image = bitmap.to_pil().convert("RGB")
    return found


def _of_picture(data: bytes, wanted: Wanted, picture: bool) -> Page:
    shown = image.picture(data, wanted.number - 1, wanted.width_px)
    width, height = (float(side) for side in shown.size)
    # A picture has no size in print: a point of it is a pixel of what is shown.
    png = _png(shown, wanted.boxes, width, height) if picture else b""
    return Page(wanted.number, image.count_pages(data), width, height, "", wanted.boxes, png)


def _png(page: Image.Image, boxes: Sequence[Box], width: float, height: float) -> bytes:
    if boxes:
        layer = Image.new("RGBA", page.size, (0, 0, 0, 0))
        pen = ImageDraw.Draw(layer)
        for box in boxes:
            pen.rectangle(_pixels(box, page.width / width, page.height / height, page.size), fill=_FILL, outline=_LINE)
        page = Image.alpha_composite(page.convert("RGBA"), layer).convert("RGB")
    out = io.BytesIO()
    page.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _pixels(box: Box, across: float, down: float, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return a box in pixels of a picture, with a little room around it."""

    def inside(value: float, most: int) -> float:
        return min(max(value, 0.0), most - 1.0) if math.isfinite(value) else 0.0

    left, right = sorted((inside(box.left * across - 2, size[0]), inside(box.right * across + 2, size[0])))
    top, bottom = sorted((inside(box.top * down - 2, size[1]), inside(box.bottom * down + 2, size[1])))
    return left, top, right, bottom


def _ignored(done: int) -> None:
    """Take note of no progress."""
