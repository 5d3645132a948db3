"""The words that carry a question's meaning, in a form that can be compared."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")

STOP_WORDS = frozenset(
    (
        "a about above after again against all also am an and any are as at be because been before being below between "
        "both but by can could did do does doing down during each few for from further had has have having he her here "
        "hers him his how i if in into is it its itself just let many may me might more most much must my no nor not "
        "of off on once only or other our ours out over own please same shall she should so some such tell than that "
        "the their theirs them then there these they this those through to too under until up upon us very was we were "
        "what when where which while who whom whose why will with would you your yours"
    ).split()
)


def words(text: str) -> list[str]:
    """Return the words of `text` in order, in lower case, without accents, possessive ends or stems' endings."""
    return [stem(word) for word in _tokens(text)]


def plain_words(text: str) -> list[str]:
    """Return the words of `text` in order, in lower case, as they are spelt."""
    return _WORD.findall(text.lower())


def content_words(text: str) -> set[str]:
    """Return the stems of the words that are no stop words."""
    return {stem(word) for word in _tokens(text) if word not in STOP_WORDS}


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return an English word without its most common endings: enough to match "refunded" with "refunds".

    Small numbers in words become figures.
    """
    word = _SAME.get(word, word)
    if word in _NUMBERS:
        return _NUMBERS[word]
    for suffix, rest, instead in _ENDINGS:
        if word.endswith(suffix) and len(word) - len(suffix) >= rest:
            return word[: -len(suffix)] + instead
    return word


_NUMBERS = {
    name: str(number)
    for number, name in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split(), 2
    )
}
"""Without "one", which is more often a pronoun."""

_ALIKE = (
    "price cost costs fee fees charge charges pricing",
    "weight heavy weigh weighs weighing",
    "length long",
    "height high tall",
    "size big large",
    "distance far",
    "speed fast quickly quick",
    "age old aged",
    "phone telephone",
    "holiday holidays vacation vacations",
    "start starts started begin begins began beginning",
    "end ends ended ending finish finishes finished expire expires expired",
    "increase increases increased rise rises rose risen rising",
    "decrease decreased fall falls fell fallen drop dropped drops",
    "buy buys bought purchase purchases purchased",
    "movie movies film films",
    "photo photos photograph photographs picture pictures",
    "repair repairs repaired fix fixes fixed",
    "color colour colors colours",
    "center centre centers centres",
    "licence license licences licenses",
    "program programme programs programmes",
    "tire tyre tires tyres",
    "child children",
    "person people persons",
    "employ employee employees staff",
    "salary salaries wage wages",
    "car cars vehicle vehicles",
    "found founded founder founders",
    "wrote write writes written writer",
    "won win wins winner",
    "paid pay pays",
    "sold sell sells",
    "sent send sends",
    "taught teach teaches",
    "died die dies death",
    "born birth",
    "built build builds",
    "made make makes",
    "led lead leads leader",
    "leave left leaves leaving",
    "take took taken takes taking",
    "give gave given gives giving",
    "bring brought brings bringing",
    "keep kept keeps keeping",
    "lose lost loses losing",
    "choose chose chosen chooses",
    "spend spent spends spending",
    "hold held holds holding",
    "lend lent lends lending",
    "meet met meets",
    "grow grew grown grows growth",
    "speak spoke spoken speaks",
    "become became becomes",
    "uk britain",
    "usa us america",
)
"""Words that ask for the same, the first one standing for all: of everyday and business English, of no subject."""

_SAME = {word: alike.split()[0] for alike in _ALIKE for word in alike.split()[1:]}

_ENDINGS = (
    ("ations", 3, "at"),
    ("ation", 3, "at"),
    ("ating", 3, "at"),
    ("ates", 3, "at"),
    ("ated", 3, "at"),
    ("sions", 3, "d"),
    ("sion", 3, "d"),
    ("tions", 3, "t"),
    ("tion", 3, "t"),
    ("ments", 3, ""),
    ("ment", 4, ""),
    ("ings", 3, ""),
    ("ies", 2, "y"),
    ("ied", 2, "y"),
    ("sses", 1, "ss"),
    ("ches", 2, "ch"),
    ("shes", 2, "sh"),
    ("xes", 2, "x"),
    ("ing", 3, ""),
    ("ers", 4, ""),
    ("er", 4, ""),
    ("ed", 3, ""),
    ("es", 3, ""),
    ("ly", 4, ""),
    ("ss", 1, "ss"),
    ("us", 2, "us"),
    ("s", 3, ""),
    ("e", 3, ""),
)


def _tokens(text: str) -> list[str]:
    plain = text.lower()
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return [word[:-2] if word.endswith(("'s", "’s")) else word for word in _WORD.findall(plain)]
