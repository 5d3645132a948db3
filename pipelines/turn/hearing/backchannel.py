"""Whether what was heard over an answer asks for the floor, or only says "go on": "mm-hm", a cough, a laugh."""

import re

from pipelines.turn.hearing.heard import Sound

MAX_S = 1.5
"""A longer sound is meant to be answered, whatever was understood of it."""

MAX_WORDS = 4

_ASIDE = re.compile(r"[\[(*♪<][^\])*♪>]*[\])*♪>]?")
"""How recognisers write what is no word: "(coughs)", "[laughter]", "*sighs*"."""

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")

_AGREES = frozenset(
    (
        "mm mmm mhm mm-hm mm-hmm mmhm mmhmm mhmm hm hmm hmmm uh-huh uhhuh uh huh ah aha oh ooh wow um uhm er erm "
        "yeah yea yep yup yes ok okay okey right sure good great nice cool fine exactly true indeed really alright "
        "i see got it of course all right very well go on "
        "ha haha hahaha hah heh hehe hihi "
        "ja jaja jo genau gut klar stimmt achso aha oui ouais d'accord voilà bien sí si vale claro bueno bien "
        "certo va bene sim pois tá ok да ага угу хорошо はい うん ええ 嗯 对 好 네 응"
    ).split()
)
"""Words that listeners say while somebody else goes on speaking."""

_IMAGINED = ("you", "bye", "thank you", "thanks for watching")
IMAGINED_S = 0.7
"""What Whisper writes where a sound had no words; a sound up to this length is hardly these words themselves."""

SHORT_MS = 350.0
"""Voiced sound shorter than this is hardly a word that asks for something."""

COUGH_SHARE, COUGH_CERTAINTY = 0.5, 0.75
"""A cough or laugh is voiced in bursts, or only half taken for a voice."""


def is_backchannel(transcript: str, duration_s: float) -> bool:
    """Return whether an answer goes on in spite of what was heard: words of assent, or no words in a short sound."""
    if duration_s > MAX_S:
        return False
    words = [word.replace("’", "'") for word in _WORD.findall(_ASIDE.sub(" ", transcript.lower()))]
    if " ".join(words) in _IMAGINED:
        return duration_s <= IMAGINED_S
    return len(words) <= MAX_WORDS and all(word in _AGREES for word in words)


def is_short_sound(sound: Sound) -> bool:
    """Return whether a sound is probably no words at all, where there is no transcript to tell.

    It is short, or voiced only in parts, or no sure voice and not long: a cough, a click, a laugh. A short word
    may be one, too ("stop", "yeah"): its transcript decides.
    """
    if sound.duration_ms > MAX_S * 1000:
        return False
    broken = sound.voiced_share < COUGH_SHARE or sound.certainty < COUGH_CERTAINTY
    return sound.voiced_ms < SHORT_MS or broken
