"""Characters that are not seen: they can hide an instruction in a text, or turn around how it is read."""

import re

_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # Controls, without tab and line ends.
    "\u00ad\u061c\u180e\u200b\u200e\u200f"  # Soft hyphen, marks of direction, spaces without width.
    "\u202a-\u202e\u2060-\u206f"  # Embeddings, overrides and isolates of direction; invisible operators.
    "\ufeff\ufff9-\ufffb"
    "\ufe00-\ufe0d\U000e0100-\U000e01ef"  # Variation selectors can carry bytes; those of emoji (15, 16) stay.
    "\U000e0000-\U000e007f"  # Tags: a copy of ASCII that no font shows.
    "]"
)


def without_unseen(text: str) -> str:
    """Return a text without characters that are not seen; joiners stay, which Persian, Hindi and emoji need."""
    return _UNSEEN.sub("", text)
