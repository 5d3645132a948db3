"""An answer as it is being written: tokens for the eye, finished sentences for the voice."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from pipelines.ports.models import ChatModel, Delta, Prompt, Usage
from pipelines.turn.checking.guard import guarded
from pipelines.turn.generating.sentences import SentenceSplitter
from schemas.errors.work import Cancelled


@dataclass(frozen=True)
class Token:
    """A piece of text, as the model gave it; an empty one where it is silent for a moment."""

    text: str


@dataclass(frozen=True)
class Sentence:
    """A finished sentence; of a long first one that is spoken, its first clause and the rest. `seq` counts from 0."""

    seq: int
    text: str


Piece: TypeAlias = Token | Sentence | Usage


def generate(model: ChatModel, prompt: Prompt, cancelled: Callable[[], bool]) -> Iterator[Piece]:
    """Yield tokens as they come, each sentence as soon as it is certain, and the usage at the end.

    The pieces pass `guard` first. `cancelled` is asked after every token. Raises Cancelled, and what the model
    raises; the call at the provider ends with the iterator.
    """
    splitter = SentenceSplitter(clause_first=prompt.spoken)
    seq = 0
    # A provider's stream is a generator, though the port promises only an iterator.
    with closing(cast(Any, model.answer(prompt))) as deltas:
        for delta in guarded(_until(deltas, cancelled), prompt):
            if isinstance(delta, Usage):
                usage = delta
                break
            yield Token(delta)
            for text in splitter.feed(delta):
                yield Sentence(seq, text)
                seq += 1
        else:
            usage = Usage(model.name, model.model)
    for text in splitter.flush():
        yield Sentence(seq, text)
        seq += 1
    yield usage


def _until(deltas: Iterator[Delta], cancelled: Callable[[], bool]) -> Iterator[Delta]:
    """Yield the pieces until somebody cancels; also those count that are held back. Raises Cancelled."""
    for delta in deltas:
        if cancelled():
            raise Cancelled
        yield delta
