"""What the Office formats of today share: a package of parts that refer to each other."""

import posixpath
from dataclasses import dataclass
from urllib.parse import unquote

from pipelines.ingest.clean import one_line
from pipelines.ingest.formats.archive import Archive
from pipelines.ingest.formats.xml import attribute, child, parse


@dataclass(frozen=True)
class Relation:
    """That a part uses another one: for what (the end of the type's address), and the other one's name."""

    kind: str
    target: str


def relations(archive: Archive, part: str = "") -> dict[str, Relation]:
    """Return the relations of a part (of the package without one) by id; those that lead outside are left out."""
    folder, _, file = part.rpartition("/")
    data = archive.part(f"{folder}/_rels/{file}.rels")
    found: dict[str, Relation] = {}
    for node in parse(data) if data else ():
        if attribute(node, "TargetMode").lower() == "external":
            continue
        target = unquote(attribute(node, "Target"))
        path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        found[attribute(node, "Id")] = Relation(attribute(node, "Type").rpartition("/")[2], path)
    return found


def main_part(archive: Archive, usual: str) -> str:
    """Return the name of the part that is the document, `usual` if the package does not say."""
    return next((r.target for r in relations(archive).values() if r.kind == "officeDocument"), usual)


def core_title(archive: Archive) -> str:
    """Return the title in the document's properties; nothing if there is none."""
    core = archive.part("docProps/core.xml")
    title = child(parse(core), "title") if core else None
    return one_line(title.text or "") if title is not None else ""
