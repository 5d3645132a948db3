"""What ODT and ODS share: their package, and text with its spaces written out."""

from lxml import etree

from pipelines.ingest.clean import one_line
from pipelines.ingest.formats.archive import Archive
from pipelines.ingest.formats.xml import attribute, child, local, number, parse
from schemas.errors.files import Damaged, Encrypted

MAX_SPACES = 100
_UNSAID = frozenset("note annotation annotation-end tracked-changes ruby-text bookmark soft-page-break".split())


def content(data: bytes, kind: str) -> tuple[etree._Element, str]:
    """Return the body of this `kind` (text, spreadsheet), and the document's title.

    Raises Encrypted, since what ODF does with passwords is not read, Damaged, Bomb.
    """
    archive = Archive(data)
    manifest = archive.part("META-INF/manifest.xml")
    if manifest and b"encryption-data" in manifest:
        raise Encrypted("The file is protected by a password. Save it without one and upload it again.")
    part = archive.part("content.xml")
    body = child(parse(part), "body", kind) if part else None
    if body is None:
        raise Damaged(f"The file holds no {kind}.")
    meta = archive.part("meta.xml")
    title = child(parse(meta), "meta", "title") if meta else None
    return body, one_line(title.text or "") if title is not None else ""


def text_of(node: etree._Element, unsaid: frozenset[str] = _UNSAID) -> str:
    """Return the text of a paragraph, without the notes in it."""
    parts = [node.text or ""]
    for part in node:
        name = local(part)
        if name == "s":
            parts.append(" " * min(number(attribute(part, "c")) or 1, MAX_SPACES))
        elif name == "tab":
            parts.append("\t")
        elif name == "line-break":
            parts.append("\n")
        elif name not in unsaid and name:
            parts.append(text_of(part, unsaid))
        parts.append(part.tail or "")
    return "".join(parts)
