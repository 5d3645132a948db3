"""PDF files made by hand, so that each test shows the very structure that it is about."""

import zlib
from collections.abc import Iterable, Sequence

import pypdfium2

FONTS = {"F1": "Helvetica", "F2": "Helvetica-Bold"}
WIDTH, HEIGHT = 612, 792


def text(x: float, y: float, words: str, size: float = 10, font: str = "F1") -> bytes:
    """Return the drawing of words whose baseline starts at x, y points from the page's bottom left."""
    escaped = words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT /{font} {size} Tf {x} {y} Td ({escaped}) Tj ET\n".encode("cp1252")


def lines(x: float, top: float, texts: Iterable[str], size: float = 10, leading: float = 12, font: str = "F1") -> bytes:
    """Return the drawing of lines below one another, the first one's baseline `top` points from the bottom."""
    return b"".join(text(x, top - i * leading, line, size, font) for i, line in enumerate(texts))


def rule(x0: float, y0: float, x1: float, y1: float) -> bytes:
    """Return the drawing of a thin straight line."""
    return f"0.5 w {x0} {y0} m {x1} {y1} l S\n".encode()


def document(
    pages: Sequence[bytes],
    box: str = f"0 0 {WIDTH} {HEIGHT}",
    more: str = "",
    resources: str = "",
    rest: Sequence[bytes] = (),
) -> bytes:
    """Return a file with a page for each drawing; `more` goes into every page, `rest` are objects from number 5 on."""
    fonts = "".join(
        f"/{key}<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>" for key, name in FONTS.items()
    )
    first = 5 + len(rest)
    kids = " ".join(f"{first + 2 * i} 0 R" for i in range(len(pages)))
    shared = f"<</Font<<{fonts}>>{resources}>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}/MediaBox[{box}]>>".encode(),
        shared.encode(),
        b"null",
        *rest,
    ]
    for i, drawing in enumerate(pages):
        objects.append(f"<</Type/Page/Parent 2 0 R/Resources 3 0 R/Contents {first + 2 * i + 1} 0 R{more}>>".encode())
        objects.append(stream(drawing))
    return file(objects)


def stream(data: bytes, entries: str = "") -> bytes:
    """Return a compressed stream object."""
    packed = zlib.compress(data)
    return f"<</Length {len(packed)}/Filter/FlateDecode{entries}>>stream\n".encode() + packed + b"\nendstream"


def file(objects: Sequence[bytes]) -> bytes:
    """Return a file of the given objects, numbered from 1, of which the first is the catalog."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    return bytes(out + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))


def picture_of(data: bytes, rotation: int = 0, more: bytes = b"") -> bytes:
    """Return a file whose only page is a picture, at 200 dpi, of the first page of another, turned clockwise.

    `more` is drawn over it.
    """
    bitmap = pypdfium2.PdfDocument(data)[0].render(scale=200 / 72, grayscale=True, rotation=rotation)
    grey = b"".join(bytes(bitmap.buffer)[y * bitmap.stride :][: bitmap.width] for y in range(bitmap.height))
    width, height = (HEIGHT, WIDTH) if rotation % 180 else (WIDTH, HEIGHT)
    image = stream(
        grey,
        f"/Type/XObject/Subtype/Image/Width {bitmap.width}/Height {bitmap.height}"
        "/BitsPerComponent 8/ColorSpace/DeviceGray",
    )
    drawing = f"q {width} 0 0 {height} 0 0 cm /I Do Q\n".encode() + more
    return document([drawing], f"0 0 {width} {height}", resources="/XObject<</I 5 0 R>>", rest=[image])
