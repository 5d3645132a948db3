"""What a chunk is made of: a stretch of the document that stays together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """Characters [start, end) of the document's text, which stay together.

    `opens` says that a paragraph, list item or table begins here; it has `block_tokens` in all.
    `header` is what must come before it where it begins a chunk.
    """

    start: int
    end: int
    tokens: int
    sentence: bool = True
    opens: bool = False
    block_tokens: int = 0
    header: str = ""
    header_tokens: int = 0
