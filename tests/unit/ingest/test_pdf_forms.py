"""What was filled in, ticked and written onto a page is read where it stands; comments and links are not."""

from collections.abc import Sequence

import pytest

from pipelines.ingest.elements import Element
from pipelines.ingest.formats.pdf import read
from tests.unit.ingest.pdfs import HEIGHT, file, stream

FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
WIDGET = "/Type/Annot/Subtype/Widget/F 4/P 3 0 R/DA(/F1 10 Tf 0 g)"


def page(
    labels: Sequence[tuple[float, str]],
    annotations: Sequence[str],
    form: str | None = "",
    catalog: str = "",
    rest: Sequence[bytes] = (),
) -> bytes:
    """Return a file of one page with labels, each at (y, words), annotations, and a form of these unless it is None."""
    shown = b"".join(f"BT /F1 10 Tf 60 {y} Td ({words}) Tj ET\n".encode() for y, words in labels)
    refs = " ".join(f"{6 + i} 0 R" for i in range(len(annotations)))
    fonts = "/Resources<</Font<</F1 5 0 R>>>>"
    acro = "" if form is None else f"/AcroForm<</Fields[{refs}]/DR<</Font<</F1 5 0 R>>>>/DA(/F1 10 Tf 0 g){form}>>"
    return file(
        [
            f"<</Type/Catalog/Pages 2 0 R{acro}{catalog}>>".encode(),
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Annots[{refs}]{fonts}>>".encode(),
            stream(shown),
            FONT,
            *(f"<<{annotation}>>".encode() for annotation in annotations),
            *rest,
        ]
    )


def elements(data: bytes) -> Sequence[Element]:
    return read(data, None, lambda _: None).elements


def words(data: bytes) -> str:
    return " ".join(element.text for element in elements(data))


def test_a_value_is_read_beside_its_label() -> None:
    name = f"{WIDGET}/FT/Tx/T(name)/V(Marlowe)/Rect[150 695 250 710]"
    room = f"{WIDGET}/FT/Ch/Ff 131072/T(room)/V(Double)/Opt[(Single)(Double)]/Rect[150 665 250 680]"
    data = page([(700, "Name of the guest:"), (670, "Room:")], [name, room])
    assert words(data) == "Name of the guest: Marlowe Room: Double"


@pytest.mark.parametrize("form", ["", "/NeedAppearances true"])
@pytest.mark.parametrize("kind", ["", "/Ff 32768"])
def test_a_ticked_box_is_told_from_an_empty_one(form: str, kind: str) -> None:
    def box(name: str, y: int, state: str) -> str:
        return f"{WIDGET}/FT/Btn{kind}/T({name})/V/{state}/AS/{state}/MK<</CA(4)>>/Rect[40 {y} 54 {y + 14}]/AP<</N<</Yes 4 0 R/Off 4 0 R>>>>"

    data = page([(700, "with breakfast"), (670, "with a dog")], [box("a", 696, "Yes"), box("b", 666, "Off")], form)
    assert words(data) == "✔ with breakfast with a dog"


@pytest.mark.parametrize("form", [None, ""])
def test_free_text_is_content_and_a_comment_is_not(form: str | None) -> None:
    free = "/Type/Annot/Subtype/FreeText/Contents(Closed on Mondays until May)/DA(/F1 10 Tf)/Rect[60 600 200 630]/F 4"
    comment = "/Type/Annot/Subtype/Text/Contents(Who wrote this?)/Rect[300 600 320 620]/F 4"
    link = "/Type/Annot/Subtype/Link/Contents(a link)/Rect[60 690 200 710]/A<</S/URI/URI(https://example.org)>>"
    hidden = "/Type/Annot/Subtype/FreeText/Contents(Hidden)/DA(/F1 10 Tf)/Rect[60 500 200 530]/F 2"
    data = page([(700, "Opening hours")], [free, comment, link, hidden], form)
    assert words(data) == "Opening hours Closed on Mondays until May"
    box = elements(data)[-1].box
    assert box is not None
    assert box.left == pytest.approx(60, abs=4)
    assert HEIGHT - 632 <= box.top <= box.bottom <= HEIGHT - 595


def test_a_stamp_is_read_where_it_was_put() -> None:
    stamp = "/Type/Annot/Subtype/Stamp/Rect[60 600 200 630]/F 4/AP<</N 7 0 R>>"
    shown = "/Type/XObject/Subtype/Form/BBox[0 0 140 30]/Resources<</Font<</F1 5 0 R>>>>"
    drawing = stream(b"BT /F1 12 Tf 5 9 Td (Received 5 May) Tj ET", shown)
    assert words(page([(700, "An invoice")], [stamp], None, rest=[drawing])) == "An invoice Received 5 May"


def test_scripts_stay_inert_and_attachments_shut() -> None:
    script = "/OpenAction<</S/JavaScript/JS(app.alert(1);while(true){})>>/AA<</WC<</S/JavaScript/JS(while(true){})>>>>"
    attached = "/Names<</EmbeddedFiles<</Names[(secret.txt)<</Type/Filespec/F(secret.txt)/EF<</F 4 0 R>>>>]>>>>"
    run = f"{WIDGET}/FT/Tx/T(name)/V(Marlowe)/Rect[150 695 250 710]/AA<</C<</S/JavaScript/JS(event.value='x')>>>>"
    pinned = "/Type/Annot/Subtype/FileAttachment/Contents(pinned)/FS<</F(a.txt)/EF<</F 4 0 R>>>>/Rect[9 9 20 20]/F 4"
    data = page([(700, "Name of the guest:")], [run, pinned], catalog=script + attached)
    assert words(data) == "Name of the guest: Marlowe"
