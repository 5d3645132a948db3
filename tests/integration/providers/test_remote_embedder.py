"""Embeddings through the real OpenAI SDK."""

from collections.abc import Callable, Sequence
from typing import Any

import fakes
import numpy as np
import pytest
from fakes import FarEnd

from pipelines.ports.models import Embedder
from pipelines.providers import calibration, embedder
from schemas.errors.providers import ProviderUnavailable, RateLimited
from schemas.settings import Settings

MakeSettings = Callable[..., Settings]


def remote(settings: MakeSettings, **changed: Any) -> Embedder:
    return embedder(settings(embedder="custom", **{"embedding_model": "some-model", **changed}))


def numbered(text: str) -> Sequence[float]:
    """Return a vector whose direction tells which text it belongs to."""
    angle = float(text.rsplit(maxsplit=1)[-1]) / 1000
    return [3 * np.cos(angle), 3 * np.sin(angle)]


def test_vectors_are_units_in_the_order_of_the_texts(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.embeddings(numbered)
    vectors = remote(settings).embed([f"text {number}" for number in range(250)])
    assert vectors.shape == (250, 2)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.allclose(np.arctan2(vectors[:, 1], vectors[:, 0]) * 1000, np.arange(250), atol=1e-2)


def test_a_request_carries_at_most_a_hundred_texts(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.embeddings(numbered)
    remote(settings).embed([f"text {number}" for number in range(250)])
    assert [len(asked.json["input"]) for asked in fake.asked] == [100, 100, 50]


def test_an_empty_text_is_not_sent_empty(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.embeddings(lambda _: [1.0, 0.0])
    assert remote(settings).embed(["", "a"]).shape == (2, 2)
    assert fake.asked[0].json["input"] == [" ", "a"]


def test_the_width_of_an_unknown_model_is_learned(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.embeddings(lambda _: [1.0] * 7)
    found = remote(settings)
    assert found.width == 7
    assert found.calibration == calibration.DEFAULT
    assert found.embed([]).shape == (0, 7)
    assert len(fake.asked) == 1


def test_a_known_models_width_and_calibration_need_no_request(fake: FarEnd, settings: MakeSettings) -> None:
    found = remote(settings, embedding_model="text-embedding-3-small")
    assert found.width == 1536
    assert found.calibration == calibration.TABLE["text-embedding-3-small"]
    assert not fake.asked


@pytest.mark.parametrize(
    "reply",
    [
        fakes.body({"object": "list", "data": [], "model": "m"}),
        fakes.body({"object": "list", "data": [{"index": 5, "embedding": [1.0]}], "model": "m"}),
        fakes.body({"object": "list", "data": [{"index": 0, "embedding": [0.0, 0.0]}], "model": "m"}),
        fakes.body({"object": "list", "data": [{"index": 0, "embedding": "!!"}], "model": "m"}),
        fakes.body({"answer": 42}),
        fakes.page("<html>hello</html>"),
        fakes.failure(502),
    ],
)
def test_a_reply_that_does_not_fit_is_unavailable(reply: fakes.Reply, fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = reply
    with pytest.raises(ProviderUnavailable):
        remote(settings).embed(["one"])


def test_a_rate_limit_is_passed_on(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.failure(429, retry_after_ms="2500")
    with pytest.raises(RateLimited) as caught:
        remote(settings).embed(["one"])
    assert caught.value.retry_after_s == 2.5
