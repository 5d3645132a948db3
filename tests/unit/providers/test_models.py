"""Which provider makes vectors of a model, whatever embeds now."""

import os
from typing import Any

import pytest

from pipelines import providers
from schemas.errors.requests import NotOffered
from schemas.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings say here what a test gives, whatever another has left in the environment."""
    for name in [name for name in os.environ if name.startswith("AURA_")]:
        monkeypatch.delenv(name)


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("model", "given", "made_by"),
    [
        ("all-MiniLM-L6-v2", {"embedder": "openai", "openai_api_key": "k"}, "local"),
        ("text-embedding-3-small", {"openai_api_key": "k"}, "openai"),
        ("text-embedding-3-small", {"embedding_base_url": "http://here/v1"}, "custom"),
        ("nomic-embed", {"openai_api_key": "k", "embedding_base_url": "http://here/v1"}, "custom"),
        ("nomic-embed", {"embedder": "custom", "embedding_model": "x", "embedding_base_url": "http://h/v1"}, "custom"),
    ],
)
def test_a_model_is_made_by_who_has_it(model: str, given: dict[str, Any], made_by: str) -> None:
    made = providers.making(model, settings(**given))
    assert made.embedder == made_by
    assert providers.embedding_model(made) == model


@pytest.mark.parametrize("given", [{}, {"openai_api_key": "k"}])
def test_a_model_that_nobody_has_is_not_offered(given: dict[str, Any]) -> None:
    with pytest.raises(NotOffered):
        providers.making("nomic-embed", settings(**given))


def test_the_model_of_a_server_of_ones_own_is_not_known_before_it_is_asked() -> None:
    assert providers.embedding_model(settings(embedder="custom", embedding_base_url="http://here/v1")) == ""
