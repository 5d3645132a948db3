"""With which voice an answer is spoken: whose wish counts, and in what language it is read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SLOWEST, FASTEST = 0.5, 2.0
"""Bounds of the speed; 1 is as the voice speaks by itself."""


@dataclass(frozen=True)
class Manner:
    """A voice, None the provider's own; its speed; and the language to read in, as a BCP 47 tag, None unknown."""

    voice_id: str | None = None
    speed: float = 1.0
    language: str | None = None


def manner(
    assistant: Mapping[str, Any], preferred: Mapping[str, Any], account: Mapping[str, Any], heard_in: str | None
) -> Manner:
    """Return how an answer is spoken: as its listener prefers, else as their account or the assistant says.

    `assistant` has `voice_id`, `voice_speed`, `language` and `persona`, `preferred` may have `voice_id`,
    `voice_speed` and `language`, `account` `voice_preference` and `language`; `heard_in` is the question's language.
    What does not fit, from whatever old row it comes, is passed over, and the speed is brought into its bounds.
    """
    voices = (preferred.get("voice_id"), account.get("voice_preference"), assistant.get("voice_id"))
    speeds = (preferred.get("voice_speed"), assistant.get("voice_speed"))
    persona = assistant.get("persona") or {}
    languages = (preferred.get("language"), account.get("language"), persona.get("language"), heard_in)
    own = assistant.get("language")
    language = next(filter(_is_text, languages), own)
    # "en" was heard, and the assistant is made for "en-GB": it says how dates are read.
    if _is_text(own) and _is_text(language) and str(own).lower().startswith(f"{str(language).lower()}-"):
        language = own
    return Manner(
        voice_id=next(filter(_is_text, voices), None),
        speed=min(max(next(filter(math.isfinite, map(_number, speeds)), 1.0), SLOWEST), FASTEST),
        language=language,
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _number(value: object) -> float:
    """Return a number as it is, anything else as none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
