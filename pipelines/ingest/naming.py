"""What a file's name says of a document, in words."""

import re

_PARTS = re.compile(
    r"[A-Za-z]{2,5}-(?!(?:19|20)\d\d\b)\d+[A-Za-z]?(?![^\W_])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*[a-z]?|[A-Z]+\d*[A-Z]?"
    r"|\d+(?:[.-]\d+)*[A-Za-z]*|[^\W\d_]+"
)
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")
_DIGEST = re.compile(r"[0-9a-fA-F-]{16,}")
_PERIOD = re.compile(r"(?:19\d|20[0-3])\d|[QqHh][1-4]")
_CODE = re.compile(r"([A-Za-z]{2,5})-?\d+[A-Za-z]?")
_SAYS_NOTHING = frozenset(
    "attachment copy doc docs document draft dsc export file final image img item new note notes page pag part pdf"
    " photo pic report scan scanned sheet temp test text tmp txt untitled upload ver version".split()
)
"""What machines and hurried people call anything: it tells one document from another, not what is in it."""


def name_in_words(filename: str) -> str:
    """Return the words of a file's name, without its ending: "AcmeReport_2023-Q3.pdf" is "Acme Report 2023 Q3".

    Empty where the name says nothing, as "scan0017.pdf" or a digest: then it would only blur what stands in it.
    """
    name = _ENDING.sub("", filename.rsplit("/", 1)[-1])
    words = words_of(name)
    return " ".join(words) if not _DIGEST.fullmatch(name) and any(map(tells, words)) else ""


def words_of(name: str) -> list[str]:
    """Return the words, codes and numbers of a name that are joined by case, figures or signs."""
    return _PARTS.findall(name)


def tells(word: str) -> bool:
    """Return whether it is a year, a quarter, a code, or a word that says something: three letters, one a vowel."""
    if code := _CODE.fullmatch(word):
        return code[1].lower() not in _SAYS_NOTHING
    if not word.isalpha():
        return bool(_PERIOD.fullmatch(word))
    if word.lower() in _SAYS_NOTHING:
        return False
    return not word.isascii() or (len(word) > 2 and any(letter in "aeiouyAEIOUY" for letter in word))
