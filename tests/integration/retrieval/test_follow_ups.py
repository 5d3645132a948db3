"""A question that leans on the one before is looked for with what it leans on."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import update

from pipelines.stores.database import tenant_session
from schemas.tables.dialogue import Turn
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd, Reply
from workers.dialogue import finding, rewriting

BEFORE = ("Can I rent a trailer for my dog?", "Yes, trailers can be rented. [1]")


@pytest.fixture(autouse=True)
def shop(far: FarEnd, stored: Callable[..., UUID]) -> None:
    stored("a.txt", ["A trailer for a dog costs nine euros a day."])
    stored("b.txt", ["A helmet costs two euros a day."])
    stored("c.txt", ["How much a lesson costs is on the board."])


def test_it_finds_what_is_meant(talk: Callable[..., Turn]) -> None:
    found = finding.ground(talk("And how much is it?", BEFORE))
    assert found.passages[0].text == "A trailer for a dog costs nine euros a day."
    assert found.standalone is not None


def test_without_memory_the_question_is_taken_as_it_is(talk: Callable[..., Turn]) -> None:
    assert rewriting.standalone(talk("And how much is it?", BEFORE, use_memory=False)) is None


def test_a_second_one_leans_on_what_the_first_was_about(talk: Callable[..., Turn], tenant: UUID) -> None:
    turn = talk("And for a week?", BEFORE, ("And how much is it?", "Nine euros a day. [1]"))
    with tenant_session(tenant) as session:
        whole = "How much is it? (rent trailer dog)"
        session.execute(update(Turn).where(Turn.question == "And how much is it?").values(standalone=whole))
    written = rewriting.standalone(turn)
    assert written is not None
    assert "trailer" in written


def test_a_model_rewrites_where_it_is_asked_to(
    talk: Callable[..., Turn], replies: dict[str, Reply], configured: Callable[..., None], far: FarEnd
) -> None:
    configured(rewrite_questions="model", chat_provider="custom", chat_base_url="{url}/v1", chat_model="some-model")
    configured(rewrite_timeout_s="30")
    replies["/chat/completions"] = fakes.answer("How much is a trailer", " for a dog?")
    assert rewriting.standalone(talk("And how much is it?", BEFORE)) == "How much is a trailer for a dog?"
    asked = next(one for one in far.asked if one.path.endswith("/chat/completions")).json["messages"]
    assert asked[-1] == {"role": "user", "content": "And how much is it?"}
    assert not any("passage" in message["content"].lower() for message in asked)
    far.asked.clear()
    assert rewriting.standalone(talk("How much does a helmet cost?", BEFORE)) is None
    assert far.asked == []


@pytest.mark.parametrize("reply", [fakes.failure(500), fakes.then_silence(), fakes.answer("")])
def test_a_model_that_fails_or_is_slow_leaves_it_to_the_rules(
    talk: Callable[..., Turn], replies: dict[str, Reply], configured: Callable[..., None], reply: Reply
) -> None:
    configured(
        rewrite_questions="model",
        rewrite_timeout_s="0.5",
        chat_provider="custom",
        chat_base_url="{url}/v1",
        chat_model="some-model",
        provider_timeout_s="2",
    )
    replies["/chat/completions"] = reply
    written = rewriting.standalone(talk("And how much is it?", BEFORE))
    assert written is not None
    assert "trailer" in written


def test_it_can_be_turned_off(talk: Callable[..., Turn], configured: Callable[..., None]) -> None:
    configured(rewrite_questions="off")
    assert rewriting.standalone(talk("And how much is it?", BEFORE)) is None
