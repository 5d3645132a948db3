"""What a paragraph's style says: whether it is a heading, in a list, bold, how large."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lxml import etree

from pipelines.ingest.formats.xml import attribute, child, is_on, local, number, value

MAX_INHERITANCE = 20
DEFAULT_HALF_POINTS = 20
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_TITLES = {"title": 1, "subtitle": 2}


@dataclass(frozen=True)
class Style:
    """The properties of a paragraph that matter here; None where neither it nor what it is based on says."""

    name: str = ""
    outline: int | None = None
    list_id: str | None = None
    list_level: int | None = None
    half_points: int | None = None
    bold: bool | None = None

    @property
    def heading_level(self) -> int | None:
        """The level from 1 that the style gives a heading, None if it is for text."""
        if match := _HEADING.match(self.name):
            return int(match.group(1)) or 1
        if self.name.lower() in _TITLES:
            return _TITLES[self.name.lower()]
        return self.outline + 1 if self.outline is not None and self.outline < 9 else None

    @property
    def is_title(self) -> bool:
        return self.name.lower() == "title"

    def over(self, base: "Style") -> "Style":
        """Return this style where it says something, `base` elsewhere; the name is a heading's if either is."""
        name = self.name if _HEADING.match(self.name) or not _HEADING.match(base.name) else base.name
        return Style(
            name,
            self.outline if self.outline is not None else base.outline,
            self.list_id if self.list_id is not None else base.list_id,
            self.list_level if self.list_level is not None else base.list_level,
            self.half_points if self.half_points is not None else base.half_points,
            self.bold if self.bold is not None else base.bold,
        )


@dataclass(frozen=True)
class Styles:
    """The paragraph styles of a document by their id, and the style of a paragraph that names none."""

    by_id: Mapping[str, Style]
    default: Style

    @property
    def body_half_points(self) -> int:
        """The size of running text, in half points."""
        return self.default.half_points or DEFAULT_HALF_POINTS

    def of(self, properties: etree._Element | None) -> Style:
        """Return the style of a paragraph with these properties (`pPr`)."""
        return properties_of(properties).over(self.by_id.get(value(properties, "pStyle"), self.default))


def properties_of(properties: etree._Element | None) -> Style:
    """Return what paragraph properties say themselves, without their style."""
    if properties is None:
        return Style()
    outline = value(properties, "outlineLvl")
    numbered = child(properties, "numPr")
    level = value(numbered, "ilvl")
    return Style(
        outline=number(outline) if outline else None,
        list_id=value(numbered, "numId") or None,
        list_level=number(level) if level else None,
    )


def styles(root: etree._Element | None) -> Styles:
    """Return the styles that `styles.xml` defines, inheritance resolved."""
    raw: dict[str, tuple[Style, str]] = {}
    base, default_id = Style(), ""
    for node in root if root is not None else ():
        if local(node) == "docDefaults":
            base = replace(base, half_points=_half_points(child(node, "rPrDefault", "rPr")))
        elif local(node) == "style" and attribute(node, "type") == "paragraph":
            style_id = attribute(node, "styleId")
            raw[style_id] = _own(node), value(node, "basedOn")
            if attribute(node, "default") in ("1", "true"):
                default_id = style_id
    by_id = {style_id: _resolved(style_id, raw, base) for style_id in raw}
    return Styles(by_id, by_id.get(default_id, base))


def _own(node: etree._Element) -> Style:
    run = child(node, "rPr")
    properties = properties_of(child(node, "pPr"))
    return replace(properties, name=value(node, "name"), half_points=_half_points(run), bold=is_on(run, "b"))


def _resolved(style_id: str, raw: Mapping[str, tuple[Style, str]], base: Style) -> Style:
    chain: list[Style] = []
    while style_id in raw and len(chain) < MAX_INHERITANCE:
        style, style_id = raw[style_id]
        chain.append(style)
    for style in reversed(chain):
        base = style.over(base)
    return base


def _half_points(run: etree._Element | None) -> int | None:
    return number(value(run, "sz")) or None
