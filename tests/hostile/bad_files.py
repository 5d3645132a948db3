"""Files made to do harm, or spoilt by chance, and how each may end: a row each, made when the tests run."""

import io

from PIL import Image

from tests.hostile import active_files, bombs
from tests.hostile.bad import PASSWORD, PROCESSED, UNREAD, Bad, Make, always
from tests.hostile.bombs import EXTERNAL, WORDS, docx, svg, word
from tests.unit.ingest.offices import ods, raw_xlsx, zipped
from tests.unit.ingest.pdfs import document, text
from tests.unit.ingest.test_hostile_offices import CELLS, ROWS, SAMPLES
from tests.unit.ingest.test_passwords import locked, plain
from tests.unit.ingest.test_pdf_passwords import locked as locked_pdf

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff" + bytes(200) + b"This program cannot be run in DOS mode." + bytes(4000)
PAGE = b"<!doctype html><html><body>%s<p>A page about ponds.</p><script>alert(1)</script></body></html>"
READ, BOMB, MISMATCH = (PROCESSED,), ("unpacks_too_large",), ("type_mismatch",)
DRAWN = (PROCESSED, "no_text")
ENCRYPTED, WRONG = ("encrypted",), ("wrong_password",)


def picture(kind: str) -> bytes:
    """Return a picture of noise, so that none of its bytes can be spared."""
    buffer = io.BytesIO()
    noise = bytes((i * i * 31 >> 3) & 0xFF for i in range(300 * 300 * 3))
    Image.frombytes("RGB", (300, 300), noise).save(buffer, kind)
    return buffer.getvalue()


def columns(count: int) -> bytes:
    return b",".join(b"c%d" % n for n in range(count)) + b"\n" + b",".join([b"1"] * count) + b"\n"


def kept(number: int) -> Make:
    """Return what makes a locked PDF of a text of its own."""
    return lambda _: locked_pdf(document([text(60, 700, f"Kept {number} times.")]), PASSWORD, "the owner's")


def office(kind: str) -> Make:
    """Return what makes a locked office file; no two are alike."""
    return lambda _: locked(plain(kind), PASSWORD)


WHOLE = {
    **SAMPLES,
    **{kind: picture(kind) for kind in ("png", "jpeg", "gif", "tiff", "webp", "bmp")},
    "pdf": document([WORDS] * 3),
}
AS_THEY_ARE = ("rtf", "csv")
"""Formats without an end, of which what is there can be read."""

BOMBS = (
    # Slow ones first: they are in work while all others come and go.
    Bad("pages.pdf", READ, lambda _: document([text(60, 600, f"{n}") for n in range(1, 10_001)]), "10000"),
    Bad("columns.csv", BOMB, lambda _: columns(1_000_000)),
    Bad("gigabyte.docx", BOMB, lambda _: bombs.bomb(1024, 1 << 30)),
    Bad("gigabyte-that-lies.docx", UNREAD, lambda _: bombs.bomb(1024, 1000)),
    Bad("entries.docx", BOMB, lambda _: bombs.many_entries(100_000)),
    Bad("overlapping.docx", BOMB, lambda _: bombs.overlapping()),
    Bad("flate.pdf", UNREAD, lambda _: bombs.flate_bomb()),
    Bad("flate-twice.pdf", UNREAD, lambda _: bombs.nested_flate()),
    Bad("giant.png", UNREAD, lambda _: bombs.giant_png()),
    Bad("giant-box.pdf", READ, lambda _: document([WORDS], "0 0 1000000000 1000000000"), "A few plain words"),
    Bad("giant-scan.pdf", ("no_text",), lambda _: document([b"0 0 9000000 9000000 re f"], "0 0 10000000 10000000")),
    Bad("xref-loop.pdf", (PROCESSED, "damaged"), lambda _: bombs.xref_loop()),
    Bad("page-loop.pdf", ("damaged",), lambda _: bombs.page_loop()),
    Bad("deep-pages.pdf", ("damaged", "no_text"), lambda _: bombs.pages_in_pages()),
)

CUT = tuple(
    Bad(f"cut.{kind}", READ if kind in AS_THEY_ARE else ("damaged", *MISMATCH), always(data[: len(data) * 3 // 5]))
    for kind, data in WHOLE.items()
)

DISGUISED = (
    Bad("exe.pdf", MISMATCH, always(EXE)),
    Bad("exe.txt", MISMATCH, always(EXE)),
    Bad("exe.exe", ("unsupported_type",), always(EXE)),
    Bad("page.txt", READ, always(PAGE % b"<hr>"), "about ponds", "alert"),
    Bad("pdf+zip.pdf", READ, lambda _: document([WORDS]) + docx("Hidden words."), "plain words", "Hidden"),
    Bad("pdf+zip.docx", MISMATCH, lambda _: document([WORDS]) + docx("Hidden words.", "<w:p/>")),
    Bad("zip+pdf.docx", MISMATCH, lambda _: zipped({"%PDF-1.7": "", "word/document.xml": word("Hidden.")})),
    Bad("gif+js.gif", ("damaged", "no_text"), always(b"GIF89a/*" + bytes(60) + b"*/=1;alert(1)")),
    Bad("gif+js.js", ("unsupported_type",), always(b"GIF89a/*" + bytes(61) + b"*/=1;alert(1)")),
    Bad("pdf+html.html", READ, always(PAGE % b"<!-- %PDF-1.7 -->"), "about ponds", "alert"),
    Bad("pdf+html.pdf", READ, lambda _: b"<script>alert(1)</script>\n" + document([WORDS]), "plain words", "alert"),
    # There is no scanner for malware here: what is text is read as text, and nothing that is read is ever run.
    Bad("eicar.txt", READ, always(EICAR), "EICAR"),
    Bad("eicar.com", ("unsupported_type",), always(EICAR + b"\n")),
)

ENTITIES = (
    Bad("external.svg", ("unsupported_type",), lambda canary: svg(EXTERNAL.format(canary), "&x;&y;")),
    Bad("external.html", DRAWN, lambda canary: svg(EXTERNAL.format(canary), "Swans &x;&y;"), hides="root:"),
    Bad("laughing.html", DRAWN, lambda _: svg(bombs.billion(), "Ducks &i;"), hides="haha"),
    Bad(
        "external.docx",
        (PROCESSED, "damaged"),
        lambda canary: zipped({"word/document.xml": EXTERNAL.format(canary) + word("Kept &x;&y;")}),
        hides="root:",
    ),
    Bad(
        "laughing.docx",
        (PROCESSED, *UNREAD),
        lambda _: zipped({"word/document.xml": bombs.billion() + word("Kept &i;")}),
        hides="haha",
    ),
    Bad(
        "external.xlsx",
        (PROCESSED, "damaged"),
        lambda _: bombs.laughing(raw_xlsx(CELLS.replace("Ann", "&b;&s;"))),
        hides="root:",
    ),
    Bad(
        "laughing.ods",
        (PROCESSED, "damaged"),
        lambda _: bombs.laughing(ods({"A": ROWS.replace(">a<", ">a&b;&s;<")})),
        hides="haha",
    ),
)

LOCKED = (
    Bad("locked.pdf", ENCRYPTED, kept(1)),
    Bad("opened.pdf", READ, kept(2), "Kept 2 times.", password=PASSWORD),
    Bad("wrong.pdf", WRONG, kept(3), password="no"),
    *(Bad(f"locked.{kind}", ENCRYPTED, office(kind)) for kind in ("docx", "xlsx")),
    *(Bad(f"opened.{kind}", READ, office(kind), "said in secret", password=PASSWORD) for kind in ("docx", "xlsx")),
    *(Bad(f"wrong.{kind}", WRONG, office(kind), password="no") for kind in ("docx", "xlsx")),
)

TEXTS = (
    Bad("empty.txt", ("empty_file",), always(b"")),
    Bad("spaces.txt", ("no_text",), always(b" \n" * 50)),
    Bad("not-utf8.txt", READ, always(b"A caf\xe9 with \xff\xfe\xc3\x28 and \xf0\x28\x8c\x28 chairs."), "chairs"),
    Bad("nul.txt", READ, always(b"One\0two three\0four.\0 Five trams."), "trams", "\0"),
    Bad("nul.csv", READ, always(b"name;age\nA\0nn;3\0\nBob;4\n"), "Ann | 3", "\0"),
    Bad("zeros.txt", MISMATCH, always(bytes(5_000))),
    Bad("formulas.csv", READ, always(b"name,value\nAnn,=cmd|'/c calc'!A0\nBob,@SUM(1)\n"), "=cmd|'/c calc'!A0"),
    Bad("bidi.txt", READ, always("Pay \u202e0001\u202c euros to \u2066Ann\u2069 אבג.".encode()), "אבג", "\u202e"),
)

NAMES = {
    "../../x.txt": "x.txt",
    "..\\..\\back.txt": "back.txt",
    "/etc/passwd": "passwd",
    "n" * 300 + ".txt": "n" * 251 + ".txt",
    "CON": "_CON",
    "con.txt": "_con.txt",
    "=cmd|'!A0.txt": "=cmd_'!A0.txt",
    "\u202etxt.exe": "txt.exe",
    " . ": "document",
    "<img src=x>.md": "_img src=x_.md",
}
"""Names as they come, and as they are kept."""

NAMED = tuple(
    Bad(
        name,
        READ if not name.endswith("exe") else ("unsupported_type",),
        always(f"The {number}. file with a bad name.".encode()),
        f"The {number}. file" if not name.endswith("exe") else "",
        about=f"name {number}",
    )
    for number, name in enumerate(NAMES)
)

FILES = (*BOMBS, *CUT, *DISGUISED, *ENTITIES, *LOCKED, *TEXTS, *active_files.ACTIVE, *NAMED)
