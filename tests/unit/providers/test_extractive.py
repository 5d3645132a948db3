"""The chat model that needs no model: word by word, then what it cost."""

from uuid import UUID

from pipelines.ports.models import Prompt, Usage
from pipelines.ports.passages import Passage
from pipelines.providers import chat_model
from pipelines.turn.composing.compose import compose
from schemas.settings import Settings

PROMPT = Prompt(
    "What does a bicycle cost?",
    (
        Passage(
            "document", 1, UUID(int=1), "prices.txt", "A bicycle costs 900 euros. A helmet costs 60.", similarity=0.9
        ),
    ),
    "You are Ada.",
)


def test_the_answer_comes_word_by_word_and_costs_nothing() -> None:
    model = chat_model(Settings(chat_provider="local", _env_file=None))  # type: ignore[call-arg]
    *words, usage = model.answer(PROMPT)
    assert "".join(map(str, words)) == compose(PROMPT).rstrip()
    assert len(words) > 3
    assert all(str(word).split() for word in words)
    assert usage == Usage("local", "extractive")
