# /// script
# requires-python = ">=3.11"
# dependencies = ["markdown-it-py>=4,<5", "python-docx>=1.2,<2", "reportlab>=5,<6"]
# ///
"""Write the PDF and DOCX files of docs/samples/ from docs/sample_sources/.

Run it after a change of a source: `.venv/bin/uv run docs/make_samples.py`. It needs ReportLab, which
AURA itself does not, so uv gives it an environment of its own. Equal sources give equal bytes.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import docx
from markdown_it import MarkdownIt
from markdown_it.token import Token
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HERE = Path(__file__).parent
FORMATS = {
    "employee-handbook": ".pdf",
    "price-list": ".pdf",
    "cancellation-policy": ".docx",
    "repair-guarantee": ".docx",
}
COMPANY = "Larkfield Bikes"
MADE = datetime(2026, 1, 1, tzinfo=UTC)

BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=11, leading=16, spaceAfter=7)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=10, leading=13, spaceAfter=0)
HEAD_CELL = ParagraphStyle("head cell", parent=CELL, fontName="Helvetica-Bold")
HEADINGS = {
    level: ParagraphStyle(
        f"heading {level}",
        fontName="Helvetica-Bold",
        fontSize=size,
        leading=size * 1.25,
        spaceBefore=size * 0.9,
        spaceAfter=size * 0.4,
        keepWithNext=True,
    )
    for level, size in ((1, 24), (2, 17), (3, 13))
}


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading (`level` from 1) or a table (`rows`, the first one its header)."""

    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


def read(source: Path) -> Iterator[Block]:
    """Yield the blocks of a Markdown file: headings, paragraphs and tables are all the sources use."""
    tokens = iter(MarkdownIt().enable("table").parse(source.read_text(encoding="utf-8")))
    for token in tokens:
        if token.type == "heading_open":
            yield Block(next(tokens).content, level=int(token.tag[1]))
        elif token.type == "paragraph_open":
            yield Block(next(tokens).content)
        elif token.type == "table_open":
            yield Block(rows=tuple(_rows(tokens)))


def _rows(tokens: Iterator[Token]) -> Iterator[tuple[str, ...]]:
    row: list[str] = []
    for token in tokens:
        if token.type == "table_close":
            return
        if token.type == "inline":
            row.append(token.content)
        elif token.type == "tr_close":
            yield tuple(row)
            row.clear()


def write_pdf(blocks: Sequence[Block], path: Path) -> None:
    """Write blocks as an A4 PDF with a running header and page numbers."""
    title = blocks[0].text

    def decorate(canvas: Canvas, template: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 9)
        canvas.setFillColor(colors.HexColor("#555555"))
        canvas.drawString(25 * mm, A4[1] - 15 * mm, f"{COMPANY} – {title}")
        canvas.drawRightString(A4[0] - 25 * mm, 13 * mm, f"Page {template.page}")

    template = SimpleDocTemplate(
        str(path),
        pagesize=A4,
        leftMargin=25 * mm,
        rightMargin=25 * mm,
        topMargin=25 * mm,
        bottomMargin=24 * mm,
        title=title,
        author=COMPANY,
        lang="en",
        invariant=1,
    )
    template.build([part for block in blocks for part in _flowables(block)], decorate, decorate)


def _flowables(block: Block) -> list[Flowable]:
    if not block.rows:
        return [Paragraph(block.text, HEADINGS[block.level] if block.level else BODY)]
    header, *rows = block.rows
    cells = [[Paragraph(text, HEAD_CELL) for text in header]]
    cells += [[Paragraph(text, CELL) for text in row] for row in rows]
    # Columns share the width by their longest text, so that short numbers do not take a third of it.
    longest = [max(8, *(min(len(row[i]), 45) for row in block.rows)) for i in range(len(header))]
    widths = [160 * mm * share / sum(longest) for share in longest]
    style = TableStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.6, colors.HexColor("#777777")),
            ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e6eef5")),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
    )
    return [Table(cells, widths, repeatRows=1, style=style), Spacer(1, 10)]


def write_docx(blocks: Sequence[Block], path: Path) -> None:
    """Write blocks as a DOCX with Word's own heading and table styles."""
    document = docx.Document()
    about = document.core_properties
    about.title, about.author, about.created, about.modified = blocks[0].text, COMPANY, MADE, MADE
    for block in blocks:
        if block.rows:
            table = document.add_table(rows=0, cols=len(block.rows[0]), style="Light Grid Accent 1")
            for row in block.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
            document.add_paragraph()
        elif block.level:
            document.add_heading(block.text, level=block.level)
        else:
            document.add_paragraph(block.text)
    written = io.BytesIO()
    document.save(written)
    path.write_bytes(_without_times(written.getvalue()))


def _without_times(archive: bytes) -> bytes:
    """Return a zip with its members' times set to the format's first day, so that it can be compared."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)
    return fixed.getvalue()


def main() -> None:
    for name, suffix in FORMATS.items():
        blocks = list(read(HERE / "sample_sources" / f"{name}.md"))
        path = HERE / "samples" / f"{name}{suffix}"
        (write_pdf if suffix == ".pdf" else write_docx)(blocks, path)
        print(f"wrote {path.relative_to(HERE.parent)}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
