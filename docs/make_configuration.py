"""Write docs/configuration.md and .env.example from schemas/settings.py.

Run it after a change of a setting: `python -m docs.make_configuration`.
"""

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from schemas.settings import Settings

REPO = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"    # (\S.*)")
FIELD = re.compile(r"    (\w+):")

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
    """Return the settings by the comment that heads them in the source, in its order."""
    found: dict[str, list[Setting]] = {}
    heading, previous = "", ""
    for line in inspect.getsource(Settings).splitlines():
        # A heading stands after a blank line and is no sentence; other comments explain code.
        if (comment := HEADING.fullmatch(line)) and not previous and not line.endswith("."):
            heading = comment[1]
        elif (name := FIELD.match(line)) and name[1] in Settings.model_fields:
            found.setdefault(heading, []).append(_setting(name[1], Settings.model_fields[name[1]]))
        previous = line.strip()
    return found


def _setting(field: str, info: FieldInfo) -> Setting:
    alias = info.validation_alias
    name = str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"AURA_{field.upper()}"
    return Setting(name, _default(info.default), ", ".join(_allowed(info)), info.description or "")


def _default(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | tuple):
        return json.dumps(value)
    return str(value)


def _allowed(info: FieldInfo) -> Iterator[str]:
    if get_origin(info.annotation) is Literal:
        yield from map(str, get_args(info.annotation))
    for limit in info.metadata:
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


def env_example() -> str:
    """Return the text of .env.example: every setting with its default, commented out."""
    parts = ["# Copy to .env and change what you need. Generated from schemas/settings.py."]
    for heading, settings in sections().items():
        parts.append(f"\n## {heading}")
        for setting in settings:
            parts.append(f"# {setting.description}\n# {setting.name}={setting.default}")
    return "\n".join(parts) + "\n"


def main() -> None:
    (REPO / "docs" / "configuration.md").write_text(markdown(), encoding="utf-8")
    (REPO / ".env.example").write_text(env_example(), encoding="utf-8")


if __name__ == "__main__":
    main()
