"""Writes `.env.example` from the settings: `python -m deploy.env_example`; `--check` fails where it is not current."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from deploy.places import REPO
from schemas.settings import Settings

TARGET = REPO / ".env.example"
SOURCE = REPO / "schemas" / "settings.py"

HEAD = """\
# Settings of AURA. Copy this file to `.env` and change what you need; everything may stay as it is.
# Generated from schemas/settings.py by `make lock`; do not edit it here.
"""


def text() -> str:
    """Return the whole file: every setting with its description and default, under the headings of its source."""
    headings = _headings(SOURCE)
    parts = [HEAD]
    for name, field in Settings.model_fields.items():
        if name in headings:
            parts.append(f"\n## {headings[name]}\n")
        parts.append(f"\n# {field.description}\n# {variable(name, field)}={_default(field)}\n")
    return "".join(parts)


def variable(name: str, field: FieldInfo) -> str:
    """Return the name of a setting in the environment."""
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"AURA_{name.upper()}"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return json.dumps(value) if isinstance(value, tuple) else str(value)


def _headings(source: Path) -> dict[str, str]:
    """Return the comment that stands alone above a group of settings, by the first setting of the group."""
    found = re.findall(r"^    # (.+)\n    (\w+):", source.read_text(), re.MULTILINE)
    return {name: heading for heading, name in found}


def main() -> int:
    """Write the file, or check it; return the exit code."""
    if "--check" in sys.argv[1:]:
        current = TARGET.exists() and TARGET.read_text() == text()
        if not current:
            print(f"{TARGET.name} is not what schemas/settings.py says. Run `python -m deploy.env_example`.")
        return 0 if current else 1
    TARGET.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
