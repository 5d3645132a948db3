"""Pictures of text: each becomes a page of a PDF, and is read as the scanned pages there are."""

import io
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pypdfium2 as pdfium
from PIL import Image, ImageOps

from pipelines.ingest.elements import Element, Extraction
from pipelines.ingest.formats import pdf
from pipelines.ingest.formats.foreign import blamed_on_file
from pipelines.ingest.formats.pdf import scan
from schemas.errors.files import Bomb, Damaged
from schemas.errors.requests import NotFound

MAX_PIXELS = 50_000_000
MAX_FRAMES = 2_000
MIN_HEIGHT = 1_000
MAX_ENLARGED = 3.0
"""Pictures of less than 1,000 pixels in height are enlarged up to three times: letters need 20 pixels."""

ORIENTATION = 0x0112
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "MPO")
_ONE_FRAME = frozenset({"GIF", "PNG", "WEBP", "MPO"})
"""Of moving pictures, and of a camera's pairs, only the first one is read."""


def count_pages(data: bytes) -> int:
    """Return the number of pictures, which only TIFF has several of. Raises Damaged, Bomb."""
    with _opened(data) as image:
        frames = 1 if image.format in _ONE_FRAME else int(getattr(image, "n_frames", 1))
    if frames > MAX_FRAMES:
        raise Bomb(f"The file holds more than {MAX_FRAMES} pictures.")
    return frames


def read(data: bytes, pages: range | None, progress: Callable[[int], None]) -> Extraction:
    """Return the text of a picture, or of the given ones (indices from 0) of a file with several.

    Pages are only counted where there are several. Raises Damaged, Bomb.
    """
    count = count_pages(data)
    wanted = range(count)[pages.start : pages.stop] if pages is not None else range(count)
    found: list[Element] = []
    title = ""
    for done, index in enumerate(wanted, 1):
        read_page = pdf.read(_as_page(_gray(data, index)), None, lambda _: None)
        title = title or (read_page.title if index == 0 else "")
        # Places are on a page made up here, so they would point nowhere.
        found += [replace(one, page=index + 1 if count > 1 else None, box=None) for one in read_page.elements]
        progress(done)
    return Extraction(tuple(found), title, count if count > 1 else None)


def picture(data: bytes, index: int, width: int) -> Image.Image:
    """Return picture `index` upright in colour on white, `width` pixels wide and four times as high at most.

    Raises NotFound where there is none, Damaged, Bomb.
    """
    count = count_pages(data)
    if not 0 <= index < count:
        raise NotFound(f"The document has {count} page{'s' * (count != 1)}.")
    with _opened(data) as image:
        if index:
            image.seek(index)
            _check(image)
        image.draft("RGB", (width, 4 * width))
        image.load()
        shown = ImageOps.exif_transpose(image)
        if shown.mode not in ("RGB", "L"):
            clear = shown.convert("RGBA")
            shown = Image.new("RGB", clear.size, "white")
            shown.paste(clear, mask=clear.getchannel("A"))
        height = max(1, min(4 * width, round(shown.height * width / shown.width)))
        return shown.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """Yield a picture whose size is known and bounded, not yet decoded. Raises Damaged, Bomb."""
    with blamed_on_file("The picture is damaged or cut short."), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check(image)
                yield image
        except Image.DecompressionBombError as error:
            raise Bomb() from error


def _check(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise Bomb(f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels.")
    if not image.width or not image.height:
        raise Damaged()


def _gray(data: bytes, index: int) -> Image.Image:
    """Return picture `index` upright, in 8-bit gray on white, neither too small nor too large to be read."""
    with _opened(data) as image:
        if index:
            image.seek(index)
            _check(image)
        image.load()
        flat = ImageOps.exif_transpose(_flat(image))
    pixels = flat.width * flat.height
    by = math.sqrt(scan.MAX_PIXELS / pixels)
    if by > 1:
        by = max(1.0, min(by, MAX_ENLARGED, MIN_HEIGHT / min(flat.height, flat.width / 2)))
    size = (max(1, round(flat.width * by)), max(1, round(flat.height * by)))
    return flat if by == 1 else flat.resize(size, Image.Resampling.BICUBIC)


def _flat(image: Image.Image) -> Image.Image:
    """Return any mode as 8-bit gray: 16-bit and float pictures by their own range, transparency as white."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        values = np.array(image, np.float32)
        np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        values -= values.min()
        values *= 255 / (float(values.max()) or 1.0)
        flat = Image.fromarray(values.astype(np.uint8))
    elif image.has_transparency_data:
        clear = image.convert("RGBA")
        flat = Image.new("L", image.size, 255)
        flat.paste(clear.convert("L"), mask=clear.getchannel("A"))
    else:
        # What has no way straight to gray goes by RGB.
        flat = (image if image.mode in {"1", "L", "RGB", "P", "CMYK"} else image.convert("RGB")).convert("L")
    flat.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
    return flat


def _as_page(image: Image.Image) -> bytes:
    """Return a PDF of one page that shows a picture, at the size at which a scan has as many pixels."""
    width, height = (max(1.0, side * 72 / scan.DPI) for side in image.size)
    document = pdfium.PdfDocument.new()
    page = document.new_page(width, height)
    shown = pdfium.PdfImage.new(document)
    shown.set_bitmap(pdfium.PdfBitmap.from_pil(image))
    shown.set_matrix(pdfium.PdfMatrix().scale(width, height))
    page.insert_obj(shown)
    page.gen_content()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
