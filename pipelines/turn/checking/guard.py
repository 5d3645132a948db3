"""What an answer must not carry out: its instructions, links that nobody gave it, and characters that are not seen.

A document may tell a model to repeat its instructions, or to show a picture whose address holds what it knows: the
page that shows the answer would fetch it. So the pieces of an answer pass here on their way to the listener. What may
become such a thing is held back until it is certain.
"""

import re
from collections.abc import Iterator

from pipelines.ports.models import Delta, Prompt, Usage
from pipelines.turn.checking.leaks import Leaks
from pipelines.turn.checking.links import Links
from pipelines.turn.checking.unseen import without_unseen

REFUSAL = "I can't repeat my instructions. Ask me about the documents."

MAX_CHARS = 32_000
"""Longest answer that is passed on: a model that never ends is cut off here."""


def guarded(deltas: Iterator[Delta], prompt: Prompt) -> Iterator[Delta]:
    """Yield an answer's pieces, made harmless, and its usage.

    Links and pictures pass only where their whole address stands in a passage, the question or the instructions, and
    pictures never; see `links`. Characters that nobody sees are left out. Where the answer begins to repeat its
    instructions (`leaks`), nothing more of it is passed on but REFUSAL; it is read to its end, to know what it cost.
    An empty piece, by which a silent model is known, passes as it is.
    """
    links, leaks = Links(_sources(prompt)), Leaks(prompt.instructions, [passage.text for passage in prompt.passages])
    length, stopped = 0, False
    usage: Usage | None = None
    for delta in deltas:
        if isinstance(delta, Usage):
            usage = delta
            break
        if stopped:
            continue
        said = leaks.feed(links.feed(without_unseen(delta)))
        length += len(said)
        stopped = leaks.found or length > MAX_CHARS
        if said or not delta:
            yield said
        if leaks.found:
            yield _after(said, REFUSAL)
    if not stopped:
        rest = leaks.feed(links.flush()) + leaks.flush()
        if rest:
            yield rest
        if leaks.found:
            yield _after(rest, REFUSAL)
    if usage is not None:
        yield usage


def _after(said: str, more: str) -> str:
    return more if not said or said[-1].isspace() else f" {more}"


def _sources(prompt: Prompt) -> str:
    """Return all texts from which an address may come that is not the model's own."""
    return "\n".join((prompt.question, prompt.instructions, *(passage.text for passage in prompt.passages)))


def is_leak_refusal(text: str) -> bool:
    """Return whether an answer ends in what is said in place of instructions."""
    return re.sub(r"\s+", " ", text).rstrip().endswith(REFUSAL)
