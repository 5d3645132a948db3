"""Whether a passage supports a sentence that names it as its source: by numbers, names, quotations and words.

No model judges here. What can be told from the wording alone is told: a sentence with a number, a name or a quotation
that its passage does not have, or with none of its words, does not stand there.
"""

import re
import unicodedata

from pipelines.ports.passages import Passage
from pipelines.turn.wording.words import STOP_WORDS, content_words, words

ENOUGH_WORDS = 0.2
"""Share of a sentence's content words that its passage must have: a paraphrase keeps few, another subject none."""

ENOUGH_NAMES = 0.5
ALL_CAPITALS = 0.5
"""Where so many of the words begin with a capital, as in German or in a title, capitals do not make names."""

QUOTED_WORDS = 4
"""From so many words on, what stands in quotation marks is taken for a quotation."""

ENGLISH, FOREIGN = 0.2, 0.06
"""Shares of English function words from which on a text is English, and below which it is not."""

_NUMBER = re.compile(r"\d+(?:[.,'’\u00a0\u202f]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,'’\u00a0\u202f]\d{3})+")
_NAME = re.compile(r"(?<=[\w,;:)] )[A-ZÀ-ÖØ-ÞĀ-Ž][^\W\d_]{2,}")
_WORD = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»\n]{8,400})[\"”“»]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_LIST_NUMBER = re.compile(r"^\s*\(?\d{1,2}[.)]\s")


def supports(passage: Passage, sentence: str) -> bool:
    """Return whether the passage may be what the sentence, given without its markers, rests on.

    Numbers and longer quotations must all stand in the passage, names at least half of them, and a fifth of the
    content words. Where the two are in different languages, words and names do not compare: then the numbers decide.
    """
    source = " ".join((passage.filename, *passage.heading_path, passage.text))
    said = _LIST_NUMBER.sub("", sentence)
    if not _numbers(said) <= _numbers(source) | _counted(source):
        return False
    flat = plain(source)
    if any(plain(quoted) not in flat for quoted in quotations(said)):
        return False
    if _differ_in_language(said, source):
        return True
    terms, there = _terms(said), _terms(source)
    if not _names_stand(said, there):
        return False
    return not terms or len(terms & there) >= ENOUGH_WORDS * len(terms)


def quotations(text: str) -> list[str]:
    """Return what stands in quotation marks and is long enough to claim that somebody wrote it so."""
    return [found for found in _QUOTED.findall(text) if len(found.split()) >= QUOTED_WORDS]


def stands_in(quote: str, text: str) -> bool:
    """Return whether every line of a quote stands in `text`, whatever the white space."""
    flat = " ".join(text.split())
    lines = [" ".join(line.split()) for line in quote.split("\n")]
    return any(lines) and all(line in flat for line in lines)


def plain(text: str) -> str:
    """Return the words of a text in lower case, with single spaces and without punctuation, to be compared."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _numbers(text: str) -> set[str]:
    return {re.sub(r"\D", "", number).lstrip("0") or "0" for number in _NUMBER.findall(text)}


def _counted(text: str) -> set[str]:
    """Return other ways to say the numbers of a text: those in words, whole ones of decimals, parts of dates."""
    found = {word for word in words(" ".join(_WORD.findall(text))) if word.isdigit()}
    for number in _NUMBER.findall(text):
        whole = re.sub(r"[.,]\d{1,2}$", "", number)
        found.add(re.sub(r"\D", "", whole))
        if not _GROUPED.fullmatch(whole):
            found |= {part.lstrip("0") or "0" for part in re.split(r"\D", number)}
    return found


def _terms(text: str) -> set[str]:
    """Return content words; of scripts without spaces, pairs of neighbouring characters."""
    pairs = {run[i : i + 2] for run in _CJK.findall(text) for i in range(max(1, len(run) - 1))}
    return content_words(_CJK.sub(" ", text)) | pairs


def _names_stand(said: str, there: set[str]) -> bool:
    own = _WORD.findall(said)
    if not own or sum(word[0].isupper() for word in own) >= ALL_CAPITALS * len(own):
        return True
    names = [content_words(name) for name in _NAME.findall(said)]
    names = [name for name in names if name]
    return sum(name <= there for name in names) >= ENOUGH_NAMES * len(names)


def _differ_in_language(one: str, other: str) -> bool:
    """Return whether one text is English and the other is not, or their scripts are others."""
    first, second = _english(one), _english(other)
    if _script(one) != _script(other):
        return True
    return (first >= ENGLISH and second <= FOREIGN) or (second >= ENGLISH and first <= FOREIGN)


def _english(text: str) -> float:
    found = [word.lower() for word in _WORD.findall(text)]
    return sum(word in STOP_WORDS for word in found) / len(found) if len(found) > 3 else 0.1


def _script(text: str) -> str:
    """Return the script that most letters of a text are of, by the first word of their Unicode names."""
    letters = [char for char in text[:2000] if char.isalpha()]
    kinds = [unicodedata.name(char, "?").split()[0] for char in letters]
    found = max(set(kinds), key=kinds.count, default="LATIN")
    return "CJK" if found in ("HIRAGANA", "KATAKANA", "CJK") else found
