"""Links in an answer: those that its sources hold pass, all others lose their address, pictures always.

A picture is fetched by the page that shows the answer, without a click; a link carries what its address holds. An
address that stands in no source was made up by the model, perhaps at the order of a document.
"""

import re
from html import unescape
from urllib.parse import unquote

MAX_HELD = 2_000
"""Characters that may wait for the end of a link; a longer one is none."""

_ADDRESS = re.compile(r"(?:(?:https?|ftp|wss?)://|www\.|(?<![:/\w])//(?=[\w-]+\.))[^\s<>\"'`\[\]]+", re.IGNORECASE)
_MARKDOWN = re.compile(r"(!?)\[([^\[\]]{0,1000})\]\(\s*<?((?:[^\s<>()]|\([^\s<>()]*\))*)>?[^()]{0,500}\)")
_REFERENCE = re.compile(r"(?m)^ {0,3}\[[^\[\]]{1,200}\]:\s*\S.*$")
_BY_REFERENCE = re.compile(r"!\[([^\[\]]{0,1000})\](?:\[[^\[\]]*\])?")
_TAG = re.compile(
    r"</?(?:a|applet|area|audio|base|body|button|embed|form|frame|iframe|image|img|input|link|meta|object|picture"
    r"|script|source|style|svg|track|video)\b[^<>]*>"
    r"|<[a-z][^<>]{0,300}\s(?:src|srcset|href|style|background|poster|action|data|on\w{2,20})\s*=[^<>]*>"
    r"|<(?:https?|ftp|mailto|javascript|data|vbscript|file|blob):[^<>\s]*>",
    re.IGNORECASE,
)
"""Tags of HTML that fetch something or lead somewhere; others are text, which clients escape."""

_TRAILING = ".,;:!?)…'\"”»*_"

_UNFINISHED = re.compile(
    r"(?:!|!?\[[^\[\]]*|!?\[[^\[\]]*\](?:\[[^\[\]]*\]?)?|!?\[[^\[\]]*\]\((?:[^()]|\([^()]*\))*(?:\([^()]*)?"
    r"|<(?:/?[a-z][\w:-]*(?:[\s/][^<>]{0,1000})?)?|<[a-z]{2,10}:[^<>\s]*"
    r"|(?:(?<=\W)|^)(?:(?:https?|ftp|wss?):|www\.)[^\s<>)]*"
    r"|(?:(?<=\W)|^)(?:h|ht|htt|http|https|f|ft|ftp|w|ws|wss|ww|www)"
    r"|//[^\s<>)]*|/)\Z",
    re.IGNORECASE,
)


class Links:
    """Fed with an answer as it comes, gives it without the addresses that none of its sources hold."""

    def __init__(self, sources: str) -> None:
        self._known = {_same(found) for found in _ADDRESS.findall(unescape(sources))}
        self._roots = {_root(address) for address in self._known}
        self._held = ""

    def feed(self, text: str) -> str:
        """Add text; return what is certain by now."""
        self._held += text
        # A link begins on one line; what came before it cannot change it any more.
        from_here = max(0, len(self._held) - MAX_HELD)
        waiting = _UNFINISHED.search(self._held, from_here)
        cut = waiting.start() if waiting else len(self._held)
        cut = self._line_start(cut)
        said, self._held = self._held[:cut], self._held[cut:]
        return self._clean(said)

    def flush(self) -> str:
        """Return what is left."""
        said, self._held = self._held, ""
        return self._clean(said)

    def _line_start(self, cut: int) -> int:
        """Return where to cut so that a line which may define a reference is judged as a whole."""
        start = self._held.rfind("\n", 0, cut) + 1
        line = self._held[start:]
        defines = re.match(r" {0,3}\[[^\[\]]{1,200}\]:", line)
        return start if defines and "\n" not in line and len(line) < MAX_HELD else cut

    def _clean(self, text: str) -> str:
        if not text:
            return text
        text = _MARKDOWN.sub(self._linked, text)
        text = _BY_REFERENCE.sub(lambda found: found[1], text)
        text = _REFERENCE.sub("", text)
        text = _TAG.sub(self._tagged, text)
        return _ADDRESS.sub(self._bare, text)

    def _linked(self, found: re.Match[str]) -> str:
        image, label, address = found.groups()
        if image or not self.allows(address):
            return label
        return found[0]

    def _tagged(self, found: re.Match[str]) -> str:
        """Return nothing for a tag of HTML; what it points at must not be fetched."""
        address = found[0][1:-1]
        return found[0] if _ADDRESS.fullmatch(address) and self.allows(address) else ""

    def _bare(self, found: re.Match[str]) -> str:
        address = found[0].rstrip(_TRAILING)
        return found[0] if self.allows(address) else found[0][len(address) :]

    def allows(self, address: str) -> bool:
        """Return whether an address stands in a source as it is, or is but the host of one that does."""
        same = _same(address)
        return same in self._known or same in self._roots


def _same(address: str) -> str:
    """Return an address in the form in which it is compared."""
    plain = unquote(address).rstrip(_TRAILING).casefold()
    return re.sub(r"^(?:https?:)?(?://)?(?:www\.)?", "", plain).rstrip("/")


def _root(same: str) -> str:
    return re.split(r"[/?#]", same, maxsplit=1)[0]
