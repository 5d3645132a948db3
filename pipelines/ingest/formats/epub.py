"""EPUB: the chapters of a book in reading order, each page read as HTML."""

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction, Kind
from pipelines.ingest.formats import html
from pipelines.ingest.formats.archive import Archive
from pipelines.ingest.formats.xml import attribute, child, children, local, parse
from schemas.errors.files import Bomb, Damaged, Encrypted

MAX_CHARS = 64 << 20
MAX_CHAPTERS = 5000
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")


def read(data: bytes) -> Extraction:
    """Return the elements of all chapters. A chapter without a heading gets the one that the contents give it.

    Raises Encrypted where the book is protected, Damaged, Bomb.
    """
    archive = Archive(data)
    container = archive.part("META-INF/container.xml")
    main = attribute(child(parse(container), "rootfiles", "rootfile"), "full-path") if container else ""
    package = archive.part(main) if main else None
    if not package:
        raise Damaged("The file holds no book.")
    root = parse(package)
    chapters = list(_chapters(root, main.rpartition("/")[0]))
    if len(chapters) > MAX_CHAPTERS:
        raise Bomb(f"The book has more than {MAX_CHAPTERS} chapters.")
    if _locked(archive) & set(chapters):
        raise Encrypted("The book is protected against copying. Upload one that is not.")
    titles = _contents(archive, root, main)
    elements: list[Element] = []
    chars = 0
    for name in chapters:
        page = archive.part(name)
        found = html.read(page).elements if page and page.strip() else ()
        chars += sum(len(element.text) for element in found)
        if chars > MAX_CHARS:
            raise Bomb()
        if found and found[0].kind is not Kind.TITLE and name in titles:
            elements.append(Element(titles[name], Kind.TITLE, level=1))
        elements += found
    named = child(root, "metadata", "title")
    return Extraction(tuple(elements), one_line(named.text or "") if named is not None else "")


def _chapters(root: etree._Element, folder: str) -> Iterator[str]:
    """Yield the names of the pages in reading order."""
    items = {attribute(node, "id"): node for node in children(root, "manifest")}
    for reference in children(root, "spine"):
        item = items.get(attribute(reference, "idref"))
        if item is not None and attribute(item, "media-type").lower() in _PAGES:
            yield _path(folder, attribute(item, "href"))


def _contents(archive: Archive, root: etree._Element, main: str) -> dict[str, str]:
    """Return the title that the table of contents gives each page."""
    titles: dict[str, str] = {}
    for item in children(root, "manifest"):
        listed = attribute(item, "media-type") == "application/x-dtbncx+xml" or "nav" in attribute(item, "properties")
        name = _path(main.rpartition("/")[0], attribute(item, "href"))
        data = archive.part(name) if listed else None
        if not data:
            continue
        try:
            tree = parse(data)
        except Damaged:
            continue  # The book can be read without its contents.
        for node in tree.iter():
            if local(node) == "navPoint":
                text, target = child(node, "navLabel", "text"), attribute(child(node, "content"), "src")
                label = one_line(text.text or "") if text is not None else ""
            elif local(node) == "a":
                label, target = one_line("".join(map(str, node.itertext()))), attribute(node, "href")
            else:
                continue
            if label and target:
                titles.setdefault(_path(name.rpartition("/")[0], target.partition("#")[0]), label)
    return titles


def _locked(archive: Archive) -> set[str]:
    """Return the names of the parts that are encrypted; often these are only fonts."""
    data = archive.part("META-INF/encryption.xml")
    references = parse(data).iter() if data else ()
    return {unquote(attribute(node, "URI")) for node in references if local(node) == "CipherReference"}


def _path(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(target)))
