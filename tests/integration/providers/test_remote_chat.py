"""Chat through the real OpenAI SDK against servers that answer, refuse, break off and fall silent."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import fakes
import pytest
from fakes import FarEnd

from pipelines.ports.models import Prompt, Said, Usage
from pipelines.ports.passages import Passage
from pipelines.providers import chat_model, servers
from pipelines.providers.openai_compatible import RemoteChat
from schemas.errors.providers import ProviderUnavailable, RateLimited
from schemas.errors.requests import InvalidRequest, NotOffered
from schemas.errors.tree import AuraError
from schemas.settings import Settings

MakeSettings = Callable[..., Settings]

PASSAGE = Passage(
    "document", 1, UUID(int=1), "prices.pdf", "A bicycle costs 900 euros.", heading_path=("Prices",), page_from=3
)
PROMPT = Prompt(
    "What does a bicycle cost?", (PASSAGE,), "You are Ada.", (Said("user", "Hi"), Said("assistant", "Hello"))
)


def model(settings: MakeSettings, **changed: Any) -> RemoteChat:
    found = chat_model(settings(chat_provider="custom", **{"chat_model": "some-model", **changed}))
    assert isinstance(found, RemoteChat)
    return found


def test_an_answer_comes_in_pieces_and_ends_with_its_usage(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.answer("900", " euros", " [1].")
    *pieces, usage = model(settings).answer(PROMPT)
    assert pieces == ["900", " euros", " [1]."]
    assert usage == Usage("custom", "some-model", 12, 7, 0.0)


def test_the_request_is_what_the_format_asks_for(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.answer("yes")
    list(model(settings).answer(PROMPT))
    (asked,) = fake.asked
    assert (asked.method, asked.path) == ("POST", "/v1/chat/completions")
    assert asked.headers["authorization"] == "Bearer sk-test"
    assert asked.json["model"] == "some-model"
    assert asked.json["stream"] is True
    assert [message["role"] for message in asked.json["messages"]] == ["system", "user", "assistant", "user"]
    assert "A bicycle costs 900 euros." in asked.json["messages"][-1]["content"]


@pytest.mark.parametrize("row", [servers.OPENAI, servers.GROK, servers.GROQ], ids=lambda row: row.name)
def test_every_vendor_is_a_row_and_costs_what_its_row_says(
    row: servers.Server, fake: FarEnd, settings: MakeSettings
) -> None:
    fake.reply = fakes.answer("yes", usage=(1_000_000, 1_000_000))
    keyed = settings(**{row.key_field: "vendor-key"})
    *_, usage = RemoteChat(replace(row, base_url=f"{fake.url}/v1"), servers.CHAT, keyed).answer(PROMPT)
    price = servers.PRICES[row.chat_model]
    assert usage == Usage(
        row.name, row.chat_model, 1_000_000, 1_000_000, pytest.approx(price.input_mtok + price.output_mtok)
    )
    assert price.output_mtok > 0
    assert fake.asked[0].headers["authorization"] == "Bearer vendor-key"


def test_usage_is_estimated_where_the_server_does_not_count(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.answer("four", "four", usage=None)
    *_, usage = model(settings).answer(PROMPT)
    assert isinstance(usage, Usage)
    assert usage.output_tokens == 2
    assert usage.input_tokens > 50


def test_a_server_of_ones_own_is_asked_which_model_it_has(fake: FarEnd, settings: MakeSettings) -> None:
    listed = fakes.body(
        {"object": "list", "data": [{"id": "llama", "object": "model", "created": 1, "owned_by": "me"}]}
    )
    said = fakes.answer("yes")
    fake.reply = lambda exchange: (listed if exchange.asked.path == "/v1/models" else said)(exchange)
    found = model(settings, chat_model="")
    list(found.answer(PROMPT))
    list(found.answer(PROMPT))
    assert found.model == "llama"
    assert [asked.path for asked in fake.asked].count("/v1/models") == 1
    assert fake.asked[-1].json["model"] == "llama"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (fakes.failure(401, "key sk-secret is wrong"), NotOffered),
        (fakes.failure(403), NotOffered),
        (fakes.failure(404), NotOffered),
        (fakes.failure(429, code="insufficient_quota"), NotOffered),
        (fakes.failure(400, "too many tokens"), InvalidRequest),
        (fakes.failure(429), RateLimited),
        (fakes.failure(500), ProviderUnavailable),
        (fakes.failure(503), ProviderUnavailable),
        (fakes.page("<html>log in</html>"), ProviderUnavailable),
        (fakes.events(b"data: {not json\n\n"), ProviderUnavailable),
        (fakes.events(b"data: \xff\xfe\n\n"), ProviderUnavailable),
        (fakes.events(b'data: {"choices": "none"}\n\n'), ProviderUnavailable),
        (fakes.events(b"data: []\n\n"), ProviderUnavailable),
        (fakes.events(b'data: {"error": {"message": "overloaded"}}\n\n'), ProviderUnavailable),
        (fakes.events(fakes.DONE), ProviderUnavailable),
        (fakes.events(fakes.chunk(finish="stop"), fakes.DONE), ProviderUnavailable),
    ],
)
def test_every_failure_is_one_of_ours(
    reply: fakes.Reply, error: type[AuraError], fake: FarEnd, settings: MakeSettings
) -> None:
    fake.reply = reply
    with pytest.raises(error) as caught:
        list(model(settings).answer(PROMPT))
    assert "sk-" not in caught.value.detail
    assert len(fake.asked) == 1, "the caller decides whether to try again"


def test_one_connection_serves_many_answers(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.answer("yes")
    found = model(settings)
    for _ in range(3):
        list(found.answer(PROMPT))
        for thread in threading.enumerate():
            if thread.name == "drains a reply":
                thread.join(60)
    assert fake.connections == 1


def test_a_server_that_keeps_its_last_bytes_keeps_nobody_waiting(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.then_silence(fakes.chunk("yes"), fakes.chunk(finish="stop"), fakes.DONE)
    began = time.monotonic()
    first, usage = model(settings).answer(PROMPT)
    assert (first, type(usage)) == ("yes", Usage)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("wait", ["17", "17.0"])
def test_a_rate_limit_says_how_long_to_wait(wait: str, fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.failure(429, Retry_After=wait)
    began = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        list(model(settings).answer(PROMPT))
    assert caught.value.retry_after_s == 17
    assert time.monotonic() - began < 17, "it was slept through"


@pytest.mark.parametrize(
    "reply",
    [
        fakes.events(fakes.chunk("Half an"), cut=True),
        fakes.events(fakes.chunk("Half an"), chunked=False),
        fakes.events(fakes.chunk("Half an"), fakes.DONE),
        fakes.events(fakes.chunk("Half an"), b'data: {"choices": [{"del'),
        fakes.events(fakes.chunk("Half an"), b"data: {]\n\n"),
    ],
    ids=["cut", "closed early", "done too soon", "cut in a line", "malformed"],
)
def test_half_an_answer_is_given_and_then_called_half(reply: fakes.Reply, fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = reply
    said = []
    with pytest.raises(ProviderUnavailable):
        for piece in model(settings).answer(PROMPT):
            said.append(piece)
    assert said == ["Half an"]


@pytest.mark.parametrize("first", [(), (fakes.chunk("Well"),)], ids=["at once", "after a word"])
def test_silence_is_bounded(first: tuple[bytes, ...], fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.then_silence(*first)
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="silent"):
        list(model(settings, provider_timeout_s=0.3).answer(PROMPT))
    assert time.monotonic() - began < 30


def test_closing_the_iterator_hangs_up(fake: FarEnd, settings: MakeSettings) -> None:
    fake.reply = fakes.endless(fakes.chunk("and "))
    with closing(model(settings).answer(PROMPT)) as pieces:  # type: ignore[type-var]
        assert next(pieces) == "and "
        assert not fake.hung_up.is_set()
    assert fake.hung_up.wait(60)


def test_a_server_that_is_not_there_is_unavailable(settings: MakeSettings) -> None:
    with pytest.raises(ProviderUnavailable):
        list(model(settings, chat_base_url="http://127.0.0.1:9/v1").answer(PROMPT))
