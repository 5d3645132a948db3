"""How long a silence has to be before somebody has finished: by what they said so far, and how they pause."""

import re
from collections import deque

from pipelines.languages import language_of
from pipelines.turn.wording.words import STOP_WORDS

NEUTRAL = 0.5
"""The completeness of a text that says nothing about it."""

UNFINISHED, OPEN, DOUBTFUL, LIKELY, FINISHED = 0.0, 0.1, 0.3, 0.75, 0.95
"""Degrees of completeness."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_TRAILING_OFF = re.compile(r"(?:\.\s?\.\s?\.?|…|[-–—])[\"'”’)]*$")
_HALF_STOP = re.compile(r"[,;:،、][\"'”’)]*$")
_QUESTION = re.compile(r"[?？؟][\"'”’)]*$")
_FULL_STOP = re.compile(r"[.!。！।][\"'”’)]*$")


def _set(*words: str) -> frozenset[str]:
    return frozenset(" ".join(words).split())


_FILLERS = _set("um uh uhm erm er hmm mm ah eh well like so anyway basically actually")
_DETERMINERS = _set("a an the my your his its our their whose every each no this these those which what any some")
_JOINS = _set("and or but because so nor")
_LEADS_ON = _DETERMINERS - _set("this these those which what any some no his each") | _set(
    "and or but because if unless although though whereas while than as nor whether since until",
    "of to for with from at into onto between among during without within via per against toward towards upon",
    "i we they he she who which",
    "i'm i'll i've i'd we're we'll we've we'd they're they'll they've you're you'll you've he'll she'll it'll",
    "very really too quite rather other another such both either neither",
    "gonna wanna gotta let's dear mister mr mrs ms dr",
)
"""English words after which something has to follow."""

_PARTICLES = _set("on in up out off over down back away by about around through after before")
_OBJECTS = _set("it them me us him her that this one")
_MAY_LEAD_ON = _PARTICLES | _set(
    "is are was were am be been being has have had does did will would can could shall should may might must",
    "not don't doesn't didn't isn't aren't wasn't can't couldn't won't wouldn't shouldn't",
    "this these those any some all his each no many much few several more most less",
    "under when where what how why that almost just only also then there's it's that's what's",
    "want need get make take give tell put set try going have new old big small next last same own left right green",
    "two three four five six seven eight nine ten",
)
"""English words after which something follows more often than not."""

_ASKS_FOR_MORE = re.compile(
    r"\b(?:tell|give|show|send|let|get|bring|help|ask|remind|explain to) (?:me|us|him|her|them)$"
)

_OPENERS = _set("if when because while although though since unless until before after once as whereas whenever")
_WHOLE = _set("yes yeah yep no nope thanks thank you please okay ok sure right goodbye bye stop cancel correct exactly")
_VERBS = _set(
    "is are was were am be been being has have had having do does did done will would can could shall should may",
    "might must i'm i've i'd i'll you're you've we're we've they're it's that's there's he's she's what's where's",
    "who's how's don't doesn't didn't isn't aren't wasn't weren't haven't hasn't can't couldn't won't wouldn't",
    "shouldn't let let's go goes went gone get gets got make makes made take takes took taken come comes came see",
    "sees saw seen know knows knew known think thinks thought say says said tell tells told give gives gave given",
    "find finds found want wants wanted need needs needed like likes liked use uses used work works worked call calls",
    "called try tries tried ask asks asked feel feels felt leave leaves left put puts mean means meant keep keeps",
    "kept begin begins began begun show shows showed shown hear hears heard play plays played run runs ran move moves",
    "moved live lives lived believe hold holds held bring brings brought happen happens happened write writes wrote",
    "written sit sits sat stand stands stood lose loses lost pay pays paid meet meets met set sets learn learns",
    "learned change changes changed lead leads led understand understands understood stop stops stopped speak speaks",
    "spoke read reads spend spends spent grow grew open opens opened walk walks walked win wins won teach taught",
    "offer offers remember buy buys bought send sends sent build built stay stays stayed fall fell cut cuts reach",
    "kill raise pass sell sells sold decide return explain hope book cancel order help start starts started wait",
    "check tear mend drop drops add adds cost costs turn turns look looks looked eat ate drink drank sing sang sleep",
    "slept drive drove fly flew break broke broken choose chose hurt hit forget forgot wear wore catch caught throw",
    "threw draw drew hang hung shut send lend lent bend bent feed fed describe compare list summarize summarise",
    "repeat remind talk talks talked thank recommend suggest suggests",
)

SHORT_CLAUSES = 10
"""Words up to which a text that begins with "if" or "when" is hardly more than its first clause."""


def completeness(transcript: str, language: str | None = None) -> float:
    """Return how surely a text is all that somebody wanted to say, 0…1; 0.5 where nothing tells.

    Its last words and its shape count for more than the full stop, which recognisers set after anything. The words are
    English; of a text in another `language` (`en`, …; None: as it seems) only its punctuation counts.
    """
    text = transcript.strip()
    words = [word.replace("’", "'") for word in _WORD.findall(text.lower())]
    if not words:
        return NEUTRAL
    if _TRAILING_OFF.search(text) or _HALF_STOP.search(text):
        return OPEN
    asks = _QUESTION.search(text) is not None
    stopped = asks or _FULL_STOP.search(text) is not None
    if not _is_english(text, words, language):
        return LIKELY if stopped else NEUTRAL
    complete = _by_words(words, asks)
    # Recognisers that set full stops leave them out where a voice has not come to an end; others never set any.
    return complete if stopped else min(complete, NEUTRAL)


def _is_english(text: str, words: list[str], language: str | None) -> bool:
    if language:
        return language.lower().startswith("en")
    plain = (word.split("'")[0] for word in words)
    return not STOP_WORDS.isdisjoint(plain) and language_of(text, "english") == "english"


def _by_words(words: list[str], asks: bool) -> float:
    last = words[-1]
    if last in _LEADS_ON or last in _FILLERS:
        return UNFINISHED
    if all(word in _WHOLE for word in words):
        return FINISHED
    if len(words) > 1 and (_ASKS_FOR_MORE.search(" ".join(words[-3:])) or _may_lead_on(words)):
        return DOUBTFUL if asks else OPEN
    begun = not asks and words[0] in _OPENERS and len(words) < SHORT_CLAUSES
    if begun or _dictating(words) or not _has_verb(words):
        return DOUBTFUL
    joined = max((at for at, word in enumerate(words) if word in _JOINS), default=0)
    if joined and not _has_verb(words[joined:]) and len(words) - joined > 2:
        return DOUBTFUL  # "… but the green": its own verb is to come, or else it was only a list.
    return FINISHED


def _may_lead_on(words: list[str]) -> bool:
    """Return whether something is likely to follow; "turn it off" and "the light does not come on" are whole."""
    whole = words[-1] in _PARTICLES and (words[-2] in _OBJECTS or len(words) > SHORT_CLAUSES // 2)
    return words[-1] in _MAY_LEAD_ON and not whole


def _has_verb(words: list[str]) -> bool:
    """Return whether a word may be a verb; after "the" or "my" it is a noun."""
    return any(
        (word in _VERBS or (len(word) > 4 and word.endswith("ed")))
        and (at == 0 or words[at - 1] not in _DETERMINERS - _MAY_LEAD_ON)
        for at, word in enumerate(words)
    )


def _dictating(words: list[str]) -> bool:
    """Return whether the text ends in figures or letters that are being told one by one."""
    told = 0
    for word in reversed(words):
        if not (word.isdecimal() or len(word) == 1 or word in _DIGITS):
            break
        told += len(word) if word.isdecimal() else 1
    return told >= 2 and len(words) > 1


_DIGITS = _set("zero oh one two three four five six seven eight nine double")


class Pace:
    """How somebody pauses in the middle of what they say. It is learnt from the pauses that ended in more words."""

    def __init__(self) -> None:
        self._pauses_ms: deque[float] = deque(maxlen=KEPT)

    def paused(self, pause_ms: float) -> None:
        """Count a pause after which the same person went on."""
        if pause_ms >= SHORTEST_MS:
            self._pauses_ms.append(pause_ms)

    def needed_ms(self, silence_ms: float) -> float:
        """Return the silence that is longer than this person's pauses are, `silence_ms` where few are known."""
        if len(self._pauses_ms) < KNOWN:
            return silence_ms
        longest = sorted(self._pauses_ms)[-1 - len(self._pauses_ms) // KNOWN]
        return max(silence_ms, min(longest * ROOM, LONGER * silence_ms))


KEPT, KNOWN = 12, 4
SHORTEST_MS = 150.0
"""Shorter gaps are within words."""

ROOM, LONGER = 1.25, 1.5
"""How much more silence than a usual long pause ends an utterance, and how much more than it would have been."""


def needed_ms(silence_ms: float, bounds_ms: tuple[float, float], complete: float, pace: Pace) -> float:
    """Return the silence after which an utterance is over.

    It goes from the lower bound (`complete` 1) over `silence_ms` (0.5) to the upper bound (0), each part in a straight
    line; a speaker who pauses long gets more of it.
    """
    shortest, longest = bounds_ms
    usual = pace.needed_ms(silence_ms)
    if complete >= NEUTRAL:
        needed = usual + (shortest - usual) * (complete - NEUTRAL) / (1 - NEUTRAL)
    else:
        needed = usual + (longest - usual) * (NEUTRAL - complete) / NEUTRAL
    return min(max(needed, shortest), longest)
