"""A question that only makes sense after the one before it, written so that it can be looked for by itself.

Without a model: whether it leans on the talk is seen from its words, and what it leans on are the words of the
question and the answer before. A question that stands alone is never touched, since words of the last subject
would lead its search astray.
"""

import re
from collections.abc import Sequence

from pipelines.ports.models import Prompt, Said
from pipelines.turn.wording.words import STOP_WORDS, content_words

LONGEST = 14
"""Words of a question that may lean on the one before: who writes more says what it is about."""

MAX_TOPIC, MAX_NAMES = 8, 4

INSTRUCTIONS = (
    "Rewrite the user's last question so that it can be understood without the conversation: put in what its pronouns"
    " and omissions refer to. Change nothing else, keep its language, do not answer it. Reply with the question only."
)

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_OPENING = re.compile(
    r"^\W*(?:(?:and|but|or|so|then|also|ok(?:ay)?|yes|no|well|und|aber|et|mais|y|pero|e)\b[\s,]*)+"
    r"|^\W*(?:what|how)\s+(?:about|if)\b|^\W*same\s+(?:for|with)\b",
    re.IGNORECASE,
)
_BARE_OPENING = re.compile(r"^\W*(?:(?:and|but|or|so|then|also|und|aber|et|mais|y|pero)\b[\s,]*)+", re.IGNORECASE)

_PRONOUNS = frozenset("it its itself they them their theirs he him his she her hers".split())
_POINTING = frozenset("this that these those".split())
_BEFORE_POINTING = frozenset(
    "about after are at before by can could did do does for from in is like of on to was were will with would".split()
)
_AUXILIARIES = frozenset("are can could did do does is was were will would".split())
_MEASURES = frozenset("big deep early far fast good heavy high large late long much often old soon tall wide".split())
_DETERMINERS = frozenset("a an any each every many most my no our some the this that these those which your".split())
_PREPOSITIONS = frozenset("after at before by during for from in on since to under until with without".split())
_EXPLETIVE = re.compile(
    r"\bit\s+(?:take|takes|took|cost|costs|need|needs)\b.*\bto\b|\b(?:is|was|if)\s+it\s+(?:\w+\s+)?(?:possible|allowed|"
    r"necessary|ok|okay|true|safe|legal|permitted|required|free|worth|important|common|called|known)\b.*"
    r"|\btime\s+is\s+it\b|\bdoes\s+it\s+(?:mean|matter)\b.+",
    re.IGNORECASE,
)
_THE_ONE = re.compile(
    r"\b(?:which|this|that|the(?:\s+\w+)?)\s+ones?\b|\bthe\s+(?:first|second|third|last|other|latter|former|same)\W*$"
    r"|(?<!\bare )(?<!\bis )(?<!\bwas )(?<!\bwere )\bthere\W*$|\bdo(?:es)?\s+so\W*$",
    re.IGNORECASE,
)


def standalone(question: str, history: Sequence[Said]) -> str | None:
    """Return the question with the words it leans on, where it leans on what was said before; else None.

    `history` is in order, the latest last. The words are those of the user's last question that are new, and where
    the question points at somebody or something, the names in the answer to it.
    """
    before = next((said.text for said in reversed(history) if said.role == "user"), None)
    if before is None or not leans(question):
        return None
    said = next((said.text for said in reversed(history) if said.role == "assistant"), "")
    known = content_words(question)
    topic = _topic(before, known)[:MAX_TOPIC]
    names = [] if _OPENING.match(question) and not _pointed(question) else _names(said, known | content_words(before))
    words = list(dict.fromkeys([*topic, *names[:MAX_NAMES]]))
    own = _BARE_OPENING.sub("", question).strip() or question
    return f"{own[0].upper()}{own[1:]} ({' '.join(words)})" if words else None


def leans(question: str) -> bool:
    """Return whether a question can not be understood without what was said before it."""
    words = _WORD.findall(question)
    if not words or len(words) > LONGEST:
        return False
    if _OPENING.match(question) and len(words) <= LONGEST // 2 + 1:
        return True
    if all(word.lower() in STOP_WORDS | _MEASURES for word in words) or _THE_ONE.search(question):
        return True
    if words[0].lower() in _PREPOSITIONS and len(words) <= 4 and len(content_words(" ".join(words[1:]))) < 2:
        return True
    return _pointed(question)


def prompt(question: str, history: Sequence[Said]) -> Prompt:
    """Return what a model is asked for the question as it stands alone."""
    return Prompt(question, (), INSTRUCTIONS, tuple(history), bare=True)


def accepted(written: str, question: str) -> str | None:
    """Return what a model wrote if it can be the question: one line, not much longer, and not an answer."""
    line = written.strip().strip('"“”').strip()
    if not line or "\n" in line or len(line) > 3 * len(question) + 200 or line == question:
        return None
    return line


def _pointed(question: str) -> bool:
    """Return whether it has a pronoun that nothing before it in the question can stand for."""
    text = _EXPLETIVE.sub(" ", question)
    words = _WORD.findall(text)
    for place, word in enumerate(words):
        small = word.lower()
        if small in _PRONOUNS:
            pass
        elif small in _POINTING and place and words[place - 1].lower() in _BEFORE_POINTING:
            follows = words[place + 1].lower() if place + 1 < len(words) else ""
            ends = place + 2 == len(words) and words[place - 1].lower() in _AUXILIARIES
            if follows and follows not in STOP_WORDS and not ends:
                continue  # "in this year", "that rooms are free", but not "are those included"
        else:
            continue
        if not _stands_for(words[:place]):
            return True
    return False


def _stands_for(before: Sequence[str]) -> bool:
    """Return whether these words name something: a name, a noun with its article, or two words that carry meaning."""
    telling = [place for place, word in enumerate(before) if word.lower() not in STOP_WORDS]
    if len(telling) > 1:
        return True
    return any(place and (before[place][0].isupper() or before[place - 1].lower() in _DETERMINERS) for place in telling)


def _topic(text: str, known: set[str]) -> list[str]:
    """Return the words of a text that carry meaning and are not known, in order."""
    return [word for word in _WORD.findall(text) if word.lower() not in STOP_WORDS and not content_words(word) <= known]


def _names(answer: str, known: set[str]) -> list[str]:
    """Return the names in the first sentence of an answer, in order."""
    first = re.split(r"(?<=[.!?])\s", _MARKER.sub("", answer).strip(), maxsplit=1)[0]
    words = _WORD.findall(first)
    found = []
    for place, word in enumerate(words):
        named = word[0].isupper() and (place > 0 or (len(words) > 1 and words[1][0].isupper()))
        if (named or any(sign.isdigit() for sign in word)) and word.lower() not in STOP_WORDS:
            found += [word] if not content_words(word) <= known else []
    return found
