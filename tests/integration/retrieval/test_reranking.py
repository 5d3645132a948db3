"""A reranker reads the best passages again; the order stands where it does not answer in time or in its format."""

import time
from collections.abc import Callable
from uuid import UUID

import pytest

from schemas.tables.dialogue import Turn
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd, Reply
from workers.dialogue import finding

QUESTION = "What does a red bicycle cost?"
TEXTS = ["A red bicycle costs ten euros.", "The cost of a bicycle that is red differs.", "Bicycles are fun."]


@pytest.fixture(autouse=True)
def shop(far: FarEnd, stored: Callable[..., UUID], configured: Callable[..., None]) -> None:
    for number, text in enumerate(TEXTS):
        stored(f"d{number}.txt", [text])
    configured(rerank_base_url="{url}/v2", rerank_api_key="rr-key", rerank_model="rerank-x", rerank_timeout_s="30")


def ranked(field: str = "results") -> Reply:
    """Answer as Cohere and Jina do: best first, by index; the text that says "fun" is the best."""

    def reply(exchange: Exchange) -> None:
        found = enumerate(exchange.asked.json["documents"])
        scores = [{"index": n, "relevance_score": 0.9 if "fun" in text else 0.1 / (n + 1)} for n, text in found]
        scores.sort(key=lambda one: -one["relevance_score"])
        exchange.send_json({"id": "1", field: scores, "meta": {}})

    return reply


def order(turn: Turn) -> list[str]:
    return [passage.text for passage in finding.ground(turn).passages]


@pytest.mark.parametrize("field", ["results", "data"])
def test_its_order_counts(talk: Callable[..., Turn], replies: dict[str, Reply], far: FarEnd, field: str) -> None:
    replies["/rerank"] = ranked(field)
    assert order(talk(QUESTION))[0] == TEXTS[2]
    asked = next(one for one in far.asked if one.path.endswith("/rerank"))
    assert asked.path == "/v2/rerank"
    assert asked.headers["authorization"] == "Bearer rr-key"
    assert asked.json["model"] == "rerank-x"
    assert asked.json["query"] == QUESTION
    assert len(asked.json["documents"]) == asked.json["top_n"] == 3


def silent(exchange: Exchange) -> None:
    exchange.far_end.closing.wait(300)


@pytest.mark.parametrize(
    "reply",
    [
        fakes.failure(500),
        fakes.failure(429),
        fakes.failure(401),
        lambda exchange: exchange.send_json({"results": [{"index": 99, "relevance_score": 1}]}),
        lambda exchange: exchange.send_json({"results": [{"index": 0, "relevance_score": "NaN"}]}),
        lambda exchange: exchange.send_json({"results": []}),
        lambda exchange: exchange.send_json(["no"]),
        lambda exchange: exchange.send_whole(200, b"<html>", "text/html"),
        silent,
    ],
)
def test_where_it_fails_the_order_stands(
    talk: Callable[..., Turn], replies: dict[str, Reply], configured: Callable[..., None], reply: Reply
) -> None:
    if reply is silent:
        configured(rerank_timeout_s="1")
    replies["/rerank"] = reply
    began = time.monotonic()
    assert order(talk(QUESTION))[0] == TEXTS[0]
    assert time.monotonic() - began < 60


def test_the_chat_model_judges_where_it_is_asked_to(
    talk: Callable[..., Turn], replies: dict[str, Reply], configured: Callable[..., None]
) -> None:
    configured(reranker="chat", chat_provider="custom", chat_base_url="{url}/v1", chat_model="some-model")

    def judge(exchange: Exchange) -> None:
        shown = exchange.asked.json["messages"][-1]["content"].split("\n\n")
        numbers = [9 if "fun" in text else 1 for text in shown if text[:1].isdigit()]
        fakes.answer("Here: ", str(numbers))(exchange)

    replies["/chat/completions"] = judge
    assert order(talk(QUESTION))[0] == TEXTS[2]
    for said in ("I like the first.", "[1]", "[1, 2, nonsense]"):
        replies["/chat/completions"] = fakes.answer(said)
        assert order(talk(QUESTION))[0] == TEXTS[0]


def test_none_is_asked_where_none_is_wanted(
    talk: Callable[..., Turn], replies: dict[str, Reply], configured: Callable[..., None], far: FarEnd
) -> None:
    configured(reranker="none")
    replies["/rerank"] = ranked()
    assert order(talk(QUESTION))[0] == TEXTS[0]
    assert not any(one.path.endswith("/rerank") for one in far.asked)
