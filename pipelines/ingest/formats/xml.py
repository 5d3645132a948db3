"""Reading the XML of office documents by local names, in which strict and transitional files do not differ."""

import io
from collections.abc import Iterator

from lxml import etree

from schemas.errors.files import Damaged


def parse(data: bytes) -> etree._Element:
    """Return the root of a part. Entities and the network are off. Raises Damaged."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except etree.LxmlError as error:
        raise Damaged() from error


def local(node: etree._Element) -> str:
    """Return a tag without its namespace."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def child(node: etree._Element | None, *path: str) -> etree._Element | None:
    """Return the first descendant along a path of tags, None if there is none."""
    for name in path:
        node = next((c for c in node if local(c) == name), None) if node is not None else None
    return node


def children(node: etree._Element | None, *path: str) -> list[etree._Element]:
    """Return what stands in the first descendant along a path of tags; nothing if there is none."""
    found = child(node, *path)
    return [] if found is None else list(found)


def attribute(node: etree._Element | None, name: str) -> str:
    """Return an attribute whatever its namespace; nothing if there is none."""
    if node is None:
        return ""
    return next((str(text) for key, text in node.items() if str(key).rpartition("}")[2] == name), "")


def value(node: etree._Element | None, *path: str) -> str:
    """Return the `val` at the end of a path of tags; nothing if there is none."""
    return attribute(child(node, *path), "val")


def number(text: str) -> int:
    """Return a whole number, 0 if `text` is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def is_on(node: etree._Element | None, name: str) -> bool | None:
    """Return whether a property is switched on or off, None if it is not mentioned."""
    found = child(node, name)
    return None if found is None else attribute(found, "val") not in ("0", "false", "off", "none")


def streamed(data: bytes, *names: str) -> Iterator[etree._Element]:
    """Yield the elements of these tags, whatever their namespace, each gone from memory after its turn.

    They must not stand inside each other. Raises Damaged.
    """
    events = etree.iterparse(
        io.BytesIO(data),
        events=("end",),
        tag=[f"{{*}}{name}" for name in names],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for _, node in events:
            yield node
            node.clear()
            # Its empty shell goes too, with those of its older siblings.
            while node.getprevious() is not None:
                del node.getparent()[0]
    except etree.LxmlError as error:
        raise Damaged() from error
