"""How an answer sounds: whose wishes count, and what a chat model is told of them."""

import math
import re
from collections.abc import Mapping
from typing import Any

from pipelines.ports.models import Persona

TRAITS = ("formality", "detail", "energy")
NEUTRAL = Persona()

LOW, HIGH = 0.35, 0.65
"""A trait at or below, or at or above this is spoken of; between them an answer is as ever."""

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
"""A BCP 47 tag, such as `de` or `pt-BR`."""

_SAYS = {
    "formality": (
        "Be casual, as among friends: contractions and first names are fine.",
        "Be formal: full sentences, polite forms of address, no slang and no contractions.",
    ),
    "detail": (
        "Give the bare answer in one short sentence and leave out everything that was not asked for.",
        "Be thorough: give conditions, exceptions and the context that the passages hold.",
    ),
    "energy": (
        "Keep a calm, matter-of-fact tone, without exclamation marks.",
        "Sound lively and warm; an exclamation mark now and then is welcome.",
    ),
}

LANGUAGES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
"""Languages whose names are known; any other tag is told to a model as it is."""


def combined(*layers: Mapping[str, Any] | None) -> Persona | None:
    """Return the persona that the layers come to, each over the ones before it; None where it is neutral.

    A layer may hold other things, and values that are no traits: those are passed over. Numbers are
    brought into 0…1; `detail_level` is another name of `detail`.
    """
    found: dict[str, Any] = {}
    for layer in layers:
        for given, value in (layer or {}).items():
            name = "detail" if given == "detail_level" else given
            if name in TRAITS and _is_number(value):
                found[name] = min(max(float(value), 0.0), 1.0)
            elif name == "language" and isinstance(value, str) and LANGUAGE.fullmatch(value):
                found[name] = value
    persona = Persona(**found)
    return None if persona == NEUTRAL else persona


def instructions(persona: Persona | None) -> list[str]:
    """Return what a chat model is told of the persona's tone and length, a sentence for each trait that stands out."""
    if persona is None:
        return []
    said = []
    for name, (low, high) in _SAYS.items():
        value = getattr(persona, name)
        if value <= LOW or value >= HIGH:
            said.append(low if value <= LOW else high)
    return said


def language(persona: Persona | None) -> str | None:
    """Return the name of the language that the persona asks for, its tag where the name is not known."""
    if persona is None or persona.language is None:
        return None
    return LANGUAGES.get(persona.language.split("-")[0].lower(), persona.language)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
