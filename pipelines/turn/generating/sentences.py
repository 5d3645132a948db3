"""An answer cut into sentences while it is written."""

import re

from pipelines.text import sentences
from pipelines.turn.generating.clauses import FirstClause

_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*|[。！？]+[」』”’]*|:(?=\s*\n)|\n)(?:\s*\[\d{1,3}\])*")
"""Where a sentence may end: punctuation with what closes it and the markers that belong to it, or a line's end."""


class SentenceSplitter:
    """Fed with text as it comes, gives each sentence once it is certain that it has ended.

    Certain means: what follows has begun. The cut depends on the text alone, never on how it was
    split into tokens. All sentences joined are the text, but for the white space between them.
    With `clause_first` the first sentence, if it is long, comes as two: somebody waits for the voice.
    """

    def __init__(self, clause_first: bool = False) -> None:
        self._text = ""
        self._seen = 0
        self._clause = FirstClause() if clause_first else None

    def feed(self, text: str) -> list[str]:
        """Add text and return the sentences that have ended by now."""
        self._text += text
        found = []
        while (end := self._next_piece()) is not None:
            said = self._text[:end].strip()
            self._text, self._seen = self._text[end:].lstrip(), 0
            if said:
                self._clause = None
                found.append(said)
        return found

    def flush(self) -> list[str]:
        """Return what is left, as the last sentence."""
        said, self._text, self._seen = self._text.strip(), "", 0
        return [said] if said else []

    def _next_piece(self) -> int | None:
        end = self._next_end()
        clause = self._clause.end(self._text) if self._clause else None
        return clause if clause is not None and (end is None or clause < end) else end

    def _next_end(self) -> int | None:
        for found in _END.finditer(self._text, self._seen):
            after = self._text[found.end() :]
            follows = after.lstrip()
            # A marker or more punctuation may still be on its way.
            if not follows or (follows[0] == "[" and not re.match(r"\[(?!\d{0,3}(?:\]|$))", follows)):
                return None
            if self._ends(found, after, follows[0]):
                return found.end()
            self._seen = found.end()
        return None

    def _ends(self, found: re.Match[str], after: str, following: str) -> bool:
        said = self._text[: found.end()].rstrip()
        if not said:
            return False
        if found[0][0] in "\n:。！？":
            return True
        if after[0] not in " \t\n":
            return False  # "3.5", "example.com"
        # The whole splitter knows abbreviations; it needs to see how the next word begins.
        spans = sentences(f"{said} {following}ext")
        return bool(spans) and spans[-1][0] >= len(said)
