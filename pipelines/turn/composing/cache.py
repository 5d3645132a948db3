"""When two questions are the same, so that the answer to one answers the other. Strict: a wrong hit is a lie.

Exact: the same text but for case, spaces and the mark at its end. Near: the same words in the same order once those
are left out that tell nothing, and vectors that agree. Numbers, names, negations, tenses and prepositions all tell.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pipelines.ports.models import Prompt

NEAR_COSINE = 0.8
"""Cosine below which questions of the same telling words are not taken for the same. Words decide: a swapped name
keeps a cosine of .98, a "please tell me" costs up to .19. See docs/decisions.md."""

_WORD = re.compile(r"[^\s]+")
_ENDS = re.compile(r"[\s?!.…？！。]+$")
_EDGES = "\"'“”‘’«»()[]{},;:"

FILLERS = frozenset("a an the is are am be do does please kindly".split())
"""Words that no answer depends on. Tenses, modes, persons and prepositions are none of them."""

GREETINGS = frozenset("hi hello hey well so ok okay um uh thanks please kindly".split())
"""The same at the beginning of a question, where a few more tell nothing."""

LEAD_INS = (
    ("can", "you", "tell", "me"),
    ("could", "you", "tell", "me"),
    ("i", "would", "like", "to", "know"),
    ("i", "want", "to", "know"),
    ("do", "you", "know"),
    ("tell", "me"),
)
"""What a question may begin with, said before it out of politeness."""

_CONTRACTIONS = (
    (re.compile(r"\b(what|when|where|who|how|that|there|it)['’]s\b"), r"\1 is"),
    (re.compile(r"\bcan['’]t\b"), "can not"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"\bwon['’]t\b"), "will not"),
    (re.compile(r"n['’]t\b"), " not"),
)

_ABOUT_THE_QUESTION = frozenset({"question", "passages", "confident", "confidence", "history"})


def normalised(question: str) -> str:
    """Return the question as it is compared: one space between words, no mark at its end, in lower case.

    A word in capitals among others stays so: "US" is not "us".
    """
    text = _ENDS.sub("", " ".join(unicodedata.normalize("NFKC", question).split()))
    if text.isupper():
        return text.casefold()
    return " ".join(word if _is_name(word) else word.casefold() for word in text.split(" "))


def telling(question: str) -> str:
    """Return the words of a normalised question that an answer may depend on, in order; empty where none does."""
    text = question
    for pattern, instead in _CONTRACTIONS:
        text = pattern.sub(instead, text)
    words = [word for word in (found.strip(_EDGES) for found in _WORD.findall(text)) if word]
    told = [word for word in _without_lead_in(words) if word not in FILLERS]
    # What is left of a short question may mean anything.
    return " ".join(told) if len(told) >= 2 else ""


def _without_lead_in(words: list[str]) -> list[str]:
    """Return the words without what was said before the question out of politeness."""
    start = 0
    while start < len(words):
        lead_in = next((each for each in LEAD_INS if tuple(words[start : start + len(each)]) == each), None)
        if lead_in is None and words[start] not in GREETINGS:
            break
        start += len(lead_in or (words[start],))
    return words[start:]


def manner(prompt: Prompt, others: Mapping[str, Any]) -> str:
    """Return a digest of all that an answer depends on besides the question, its passages and the talk before it."""
    told = {
        each.name: repr(getattr(prompt, each.name)) for each in fields(prompt) if each.name not in _ABOUT_THE_QUESTION
    }
    return digest(told, others)


def digest(*parts: object) -> str:
    """Return a digest of JSON-like values: equal for equal ones, in hexadecimal."""
    packed = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(packed.encode(errors="surrogatepass")).hexdigest()


def _is_name(word: str) -> bool:
    letters = [char for char in word if char.isalpha()]
    return len(letters) > 1 and word.upper() == word
