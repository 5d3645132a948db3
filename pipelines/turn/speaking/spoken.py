"""A sentence made fit for the voice: what a reader sees at a glance, in words.

Markup, pictures, markers and the paths of addresses go for every language. Figures and signs become words in English
alone: other voices read them by the rules of their own languages.
"""

import re

from pipelines.turn.speaking.spoken_figures import figures, money, phones
from pipelines.turn.speaking.spoken_times import times
from pipelines.turn.speaking.unmarked import unmarked

# A group that is looked ahead for and then taken is never gone back into. Possessive groups say the same, but lose
# matches in Python before 3.11.5, which Debian 12 has.
_EMAIL = re.compile(r"(?<![\w.+-])(?:mailto:)?([\w.+-]{1,64}+)@(?=([\w-]{1,63}+(?:\.[\w-]{1,63}+){1,8}))\2")
_URL = re.compile(
    r"(?:https?://(?:www\.)?|\bwww\.)(?=([\w-]{1,63}+(?:\.[\w-]{1,63}+){0,8}))\1(?::\d{1,5})?(?:[/?#]\S*?)?(?=[.,;:!?)\]]*(?:\s|$))",
    re.IGNORECASE,
)
_DOMAIN = re.compile(r"(?<![\w.-])((?=((?:[a-z][\w-]*+\.(?=[a-z]))+))\2[a-z]{2,}+)(?:/[\w./?=&%#-]*\w)?", re.IGNORECASE)
_LETTERS = {".": " dot ", "_": " underscore ", "-": " dash ", "+": " plus "}
_INSIDE = re.compile(r"(?<=[^\W_])_{1,3}(?=[^\W_])")

_MARKS = "#>*•·|"

_SHORT = {
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "and so on",
    "approx.": "approximately",
    "incl.": "including",
    "excl.": "excluding",
    "max.": "at most",
    "min.": "at least",
    "vs.": "versus",
    "cf.": "compare",
    "dept.": "department",
    "w/o": "without",
    "w/": "with ",
    "N/A": "not available",
    "n/a": "not available",
    "and/or": "and or",
    "he/she": "he or she",
    "his/her": "his or her",
    "&": "and",
}
_SHORTENED = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, sorted(_SHORT, key=len, reverse=True)))})(?!\w)")
_BEFORE_NAMES = {"Dr.": "Doctor", "Mr.": "Mister", "Mrs.": "Missus", "Prof.": "Professor", "St.": "Saint"}
_TITLED = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, _BEFORE_NAMES))})(?=\s[A-Z])")
_BEFORE_FIGURES = {
    "p.": "page",
    "pp.": "pages",
    "vol.": "volume",
    "fig.": "figure",
    "figs.": "figures",
    "ch.": "chapter",
    "sec.": "section",
    "art.": "article",
    "ca.": "about",
    "ext.": "extension",
}
_COUNTED = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, _BEFORE_FIGURES))})\s?(?=\d)", re.IGNORECASE)


def speakable(text: str, language: str | None = None) -> str:
    """Return what is said aloud, on one line; empty where nothing is left to say.

    `language` is a BCP 47 tag; None is English, as is `en`. A date such as 3/5/2021 is read as one in `en-US` and
    `en-GB`.
    """
    spoken_in = (language or "en").lower()
    is_english = spoken_in.split("-")[0] == "en"
    said = unmarked(text, numbered=not is_english)
    said = _english(said, spoken_in) if is_english else _URL.sub(r"\1", said)
    said = re.sub(r"\s*[–—](?:\s*[–—])*\s*|\s-{1,3}\s", ", ", said)
    said = re.sub(r"\s+([,.;:!?])(?=\s|$)", r"\1", re.sub(r"\(\s*\)|\"\s*\"|“\s*”", "", said))
    # What is left of marks that stood twice, as in "# # Title".
    words = [word for word in said.split() if word.strip(_MARKS)]
    said = re.sub(r"(?<=[.!?:;,]),+", "", " ".join(words)).strip(" ,;")
    return said if re.search(r"[^\W_]", said) else ""


def _english(text: str, language: str) -> str:
    said = phones(_addresses(text))
    said = figures(money(times(said, language)))
    said = _COUNTED.sub(lambda found: f"{_BEFORE_FIGURES[found[1].lower()]} ", said)
    said = _TITLED.sub(lambda found: _BEFORE_NAMES[found[1]], said)
    return _INSIDE.sub(" ", _SHORTENED.sub(_in_full, said))


def _addresses(text: str) -> str:
    said = _EMAIL.sub(lambda found: f"{_spelt(found[1])} at {_spelt(found[2])}", text)
    said = _URL.sub(lambda found: _dotted(found[1]), said)
    return _DOMAIN.sub(lambda found: _dotted(found[1]), said)


def _spelt(address: str) -> str:
    return "".join(_LETTERS.get(letter, letter) for letter in address)


def _dotted(address: str) -> str:
    return address.replace(".", " dot ")


def _in_full(found: re.Match[str]) -> str:
    after = found.string[found.end() : found.end() + 2]
    ends = found[0] == "etc." and (not after.strip() or (after[:1].isspace() and after[1:2].isupper()))
    return _SHORT[found[0]] + ("." if ends else "")
