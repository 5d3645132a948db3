"""Answers without a language model: the best sentences of the passages, quoted with their sources."""

import re
from collections.abc import Iterator

from pipelines.ports.models import Delta, Prompt, Usage
from pipelines.turn.composing.compose import compose
from schemas.settings import Settings

_WORD = re.compile(r"\s*\S+")


class Extractive:
    """Composes an answer from the passages and gives it out word by word."""

    name = "local"
    model = "extractive"

    def answer(self, prompt: Prompt) -> Iterator[Delta]:
        """Yield the words of the answer, each with the space before it, then what it cost: nothing."""
        yield from _WORD.findall(compose(prompt))
        yield Usage(self.name, self.model)


def make(settings: Settings) -> Extractive:
    """Return the chat model of a deployment that has no key."""
    return Extractive()
