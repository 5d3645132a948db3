"""Write docs/configuration.md from schemas/settings.py: `python -m docs.make_configuration`.

Names, defaults and headings are those of `.env.example`; what a setting may be is added here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from deploy import env_example
from schemas.settings import Settings

TARGET = Path(__file__).with_name("configuration.md")

INTRODUCTION = """\
# Configuration

Generated from `schemas/settings.py` by `python -m docs.make_configuration`; edit it there.

AURA reads the environment and a file `.env` in the folder it is started in; the environment wins. `.env.example`
lists every setting with its default: copy the lines you change. Nothing needs to be set to run AURA on one machine.
A Postgres, Redis or object store of your own is used as soon as its URL is set. A key makes its provider available;
the settings under *Providers* choose between those. Settings are read once, when a process starts.
"""


@dataclass(frozen=True)
class Setting:
    """One setting as its reader sees it; `default` is what it would be in the environment."""

    name: str
    default: str
    allowed: str
    description: str


def sections() -> dict[str, list[Setting]]:
    """Return the settings by heading, in the order of the source."""
    found: dict[str, list[Setting]] = {}
    heading, fields = "", iter(Settings.model_fields.values())
    for line in env_example.text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif setting := re.fullmatch(r"# ([A-Z_]+)=(.*)", line):
            field = next(fields)
            allowed = ", ".join(_allowed(field))
            found.setdefault(heading, []).append(Setting(setting[1], setting[2], allowed, field.description or ""))
    return found


def _allowed(field: FieldInfo) -> Iterator[str]:
    if get_origin(field.annotation) is Literal:
        yield from map(str, get_args(field.annotation))
    for limit in field.metadata:
        for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
            if hasattr(limit, attribute):
                yield f"{sign} {getattr(limit, attribute)}"


def markdown() -> str:
    """Return the text of docs/configuration.md."""
    parts = [INTRODUCTION]
    for heading, settings in sections().items():
        parts.append(f"## {heading}\n\n| setting | default | allowed | meaning |\n|---|---|---|---|")
        for setting in settings:
            default = f"`{setting.default}`" if setting.default else ""
            parts.append(f"| `{setting.name}` | {default} | {setting.allowed} | {setting.description} |")
        parts.append("")
    return "\n".join(parts)


def main() -> None:
    TARGET.write_text(markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
