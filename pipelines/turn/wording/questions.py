"""What a question asks, apart from how it is put: its kind, its content words, numbers, negations, tense and persons.

The filling words are English. In other languages every word is content, so that only the same words are the same.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_TOKEN = re.compile(r"(?:(?<!\S)[-−])?\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[^\s\w]")
_SIGNS = frozenset("%#&@*/§")
"""Kept of what is no word and no number, beside currencies and other symbols."""

_CONTRACTED = {"won't": "will not", "can't": "can not", "cannot": "can not", "shan't": "shall not"}
_ENDS = {"n't": " not", "'ll": " will", "'re": " are", "'ve": " have", "'d": " would", "'m": " am"}
_IS = frozenset("what who where when why how that there it he she here".split())
"""After these `'s` is a verb."""

_NUMBERS = {
    name: str(number)
    for number, name in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)
}

_GREETINGS = "hi|hello|hey|please|so|well|um|uh|ok|okay|excuse me|sorry|thanks|thank you|and|but|also"
_TELL = (
    "(?:can|could|would|will) (?:you|anyone|somebody|someone) (?:please )?"
    "(?:tell|show|explain to|remind|inform) (?:me|us)"
    "|(?:can|could|would|will) you (?:please )?(?:explain|let me know)|(?:tell|show) (?:me|us)|let me know|explain"
    "|do you (?:happen to )?know|(?:can|may|could) i ask|any idea|i (?:am|was) wondering|i wonder"
    "|i (?:would like|want|need|wish|would love) to (?:know|ask|find out|learn)"
)
_OPENINGS = re.compile(f"(?:(?:{_GREETINGS}|{_TELL}) (?:please )?)+(?:about (?=wh|how))?")
_CLOSINGS = re.compile(r"(?: (?:please|thanks|thank you|exactly|actually|again))+$")

_REWORDED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"^(?:if|whether) (?:it is possible to|i can)\b", "can i"),
        (r"^is it possible (?:for me )?to\b", "can i"),
        (r"^(?:am i|are we) (?:able|allowed|permitted) to\b", "can i"),
        (r"^(?:is|are) there (?:a|any) ways? (?:to|of|for)\b", "how to"),
        (r"^what (?:is|are) the (?:ways?|steps?|process|procedures?|methods?) (?:to|of|for)\b", "how to"),
        (r"^what (?:must|should|can|do|could) (?:i|we|one|you) (?:(?:need|have) to )?do (?:in order )?to\b", "how to"),
        (r"^what (?:is|was) the reason\b(?: why| that| for)?", "why"),
        (r"^how come\b", "why"),
        (r"^(?:at )?what time\b", "when"),
        (r"^(?:in|at) (?:what|which) (?:place|location)\b", "where"),
        (r"^what number of\b", "how many"),
        (r"^how much (?=(?:is|are|was|were|do|does|did|will|would|the|it)\b)", "price "),
        (r"^what (?:is|are|was|were|will be) the (?:prices?|costs?) (?:of|for)\b", "price is"),
        (r"^what (?=(?:do|does|did|will|would)\b.*\bcosts?\b)", "price "),
    )
)

_AUXILIARIES = frozenset(
    "is are am was were be been do does did has have had can could will would shall should may might must".split()
)
_WH = frozenset("what which who whom whose when where why how price".split())
_BEFORE_WH = frozenset("in at on for to from by with of until since".split())
_HOW = frozenset("many much long often far old big large tall high deep heavy soon late early fast quickly".split())
_FILLING = frozenset(
    (
        "a an the of for to in on at about with and as it its there i me my mine we us our ours you your yours be been"
        " being is are am was were do does did have has had can could will would shall should may might must need needs"
        " able allowed currently just really"
    ).split()
)
_PRICES = frozenset(("price", "cost"))
_NEGATIONS = frozenset("not no never without none neither nor except unless excluding besides".split())
_PAST, _FUTURE = frozenset("did was were had".split()), frozenset("will shall".split())
_MAY, _MUST = (
    frozenset("can could may might able allowed".split()),
    frozenset("must should need needs required".split()),
)
_PLACING = frozenset("for in on at about with as to".split())
_BEFORE_VERBS = frozenset("how need needs have has had able like want possible going".split())
"""After these `to` belongs to the verb."""

_OWNERS = {"my": "me", "mine": "me", "our": "me", "ours": "me", "your": "you", "yours": "you"}
_OWNERS |= {"his": "he", "her": "she", "their": "they", "whose": "whose"}
_PERSONS = {"i": "me", "we": "me", "you": "you", "he": "he", "she": "she", "they": "they"}
_LIKE_SINGULAR = ("ss", "us", "is")


@dataclass(frozen=True)
class Question:
    """A question taken apart. `tokens` are all its words and signs; `words` its content in order."""

    tokens: tuple[str, ...]
    asks: str
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    negations: int
    tense: str
    modality: str
    owners: frozenset[str]
    persons: frozenset[str]
    placing: frozenset[str]


@lru_cache(maxsize=4096)
def read(question: str) -> Question:
    """Return what a question asks."""
    tokens = _without_frame(_tokens(_with_names(question)))
    asks, rest = _asked(tokens)
    said = frozenset(tokens)
    words = tuple(_singular(word) for word in _reordered(rest) if word not in _FILLING | _NEGATIONS)
    return Question(
        tokens=tuple(_tokens(question)),
        asks=asks,
        words=tuple(word for word in words if word not in _PRICES) if asks == "price" else words,
        numbers=tuple(token for token in tokens if token[-1].isdigit()),
        negations=sum(token in _NEGATIONS for token in tokens),
        tense="past" if said & _PAST else "future" if said & _FUTURE else "present",
        modality=_modality(tokens),
        owners=frozenset(_OWNERS[token] for token in said & _OWNERS.keys()),
        persons=frozenset(_PERSONS[token] for token in said & _PERSONS.keys()),
        placing=_placing(tokens),
    )


def _tokens(text: str) -> list[str]:
    """Return words, numbers and signs in order, without case; contractions written out, small numbers as figures."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    found: list[str] = []
    for match in _TOKEN.finditer(plain):
        token = match[0]
        if len(token) == 1 and not token.isalnum():
            if token in _SIGNS or unicodedata.category(token).startswith("S"):
                found.append(token)
            continue
        found += _expanded(token).split()
    return [_NUMBERS.get(token, token) for token in found]


def _expanded(token: str) -> str:
    if token in _CONTRACTED:
        return _CONTRACTED[token]
    if token.endswith("'s"):
        base = token[:-2]
        return f"{base} is" if base in _IS else base
    end = next((end for end in _ENDS if token.endswith(end)), None)
    return token[: -len(end)] + _ENDS[end] if end else token


def _with_names(question: str) -> str:
    """Return a question in which names that are also filling words, as US, IT or May, are none."""
    if question.isupper():
        return question
    return _WORD.sub(lambda found: f"{found[0]}{_NAME}" if _is_name(found, question) else found[0], question)


_NAME = "ʹ"
_WORD = re.compile(r"[^\W\d_]+")


def _is_name(found: re.Match[str], question: str) -> bool:
    word, before = found[0], question[: found.start()].rstrip()
    if word.casefold() not in _FILLING | _NEGATIONS | _WH:
        return False
    inside = bool(before) and before[-1] not in '.!?:\n"“'
    return word != "I" and ((word.isupper() and len(word) > 1) or (word[0].isupper() and inside))


def _without_frame(tokens: Sequence[str]) -> list[str]:
    """Return a question without politeness around it, and what is asked in many words asked in one."""
    text = " ".join(tokens)
    for frame in (_OPENINGS, _CLOSINGS):
        left = frame.sub("", text, count=1) if frame is _CLOSINGS else text[_end(frame, text) :]
        text = left or text
    for pattern, instead in _REWORDED:
        text = pattern.sub(instead, text, count=1)
    return text.split()


def _end(frame: re.Pattern[str], text: str) -> int:
    found = frame.match(f"{text} ")
    return found.end() if found else 0


def _asked(tokens: Sequence[str]) -> tuple[str, list[str]]:
    """Return the kind of thing that is asked for, and the tokens that do not say so."""
    start = next((i for i, token in enumerate(tokens) if token not in _BEFORE_WH), 0)
    start = start if start < len(tokens) and tokens[start] in _WH else 0
    first, rest = (tokens[start], [*tokens[:start], *tokens[start + 1 :]]) if tokens else ("", [])
    if first in ("if", "whether"):
        return "whether", rest
    if first == "how" and rest[start:] and rest[start] in _HOW:
        return f"how {rest.pop(start)}", rest
    if first == "how" and rest[start:] and rest[start] in ("is", "are", "was", "were"):
        return "how is", rest
    if first in _WH:
        return {"whom": "who", "which": "what"}.get(first, first), rest
    return ("whether", list(tokens)) if first in _AUXILIARIES else ("what", list(tokens))


def _reordered(tokens: Sequence[str]) -> list[str]:
    """Return `hours of the library` as `library hours`."""
    found = list(tokens)
    for at in [i for i, token in enumerate(tokens) if token == "of"][::-1]:
        first = at
        while first > 0 and _is_content(found[first - 1]):
            first -= 1
        begin = at + 1
        while begin < len(found) and found[begin] in _DETERMINERS:
            begin += 1
        last = begin
        while last < len(found) and _is_content(found[last]):
            last += 1
        if first < at and begin < last:
            found[first:last] = [*found[at + 1 : last], *found[first:at]]
    return found


_DETERMINERS = frozenset("the a an my our your its their his her".split())


def _is_content(token: str) -> bool:
    return token not in _FILLING and token not in _NEGATIONS and token not in _BEFORE_WH


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(_LIKE_SINGULAR):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("ches", "shes", "xes", "sses", "zes")) else word[:-1]


def _placing(tokens: Sequence[str]) -> frozenset[str]:
    """Return the prepositions that say where something is, goes or belongs."""
    verbs = {after for before, after in zip(tokens, range(1, len(tokens)), strict=False) if before in _BEFORE_VERBS}
    return frozenset(
        token for at, token in enumerate(tokens) if token in _PLACING and not (token == "to" and at in verbs)
    )


def _modality(tokens: Sequence[str]) -> str:
    """Return whether it is about what may be or what must be."""
    said, pairs = frozenset(tokens), frozenset(pairwise(tokens))
    if said & _MUST or pairs & {("have", "to"), ("has", "to"), ("had", "to")}:
        return "must"
    return "may" if said & _MAY else ""
