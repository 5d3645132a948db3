"""Two questions are one where nothing that tells is different; a wrong hit would be a lie."""

from dataclasses import replace

import pytest

from pipelines.ports.models import Prompt
from pipelines.turn.composing.cache import manner, normalised, telling


def same(one: str, other: str) -> bool:
    first, second = telling(normalised(one)), telling(normalised(other))
    return bool(first) and first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("When does the shop open?", " when  does the shop open "),
        ("What is the VAT?", "what is the VAT."),
        ("WHAT IS THE VAT?", "what is the vat"),
        ("ｗｈｅｎ does it open", "When does it open?"),
    ],
)
def test_case_spaces_and_the_last_mark_do_not_tell(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Does it ship to US?", "Does it ship to us?"),
        ("What costs 1.5 litres?", "What costs 15 litres?"),
        ("Is C++ taught?", "Is C taught?"),
        ("How much is -5 degrees?", "How much is 5 degrees?"),
    ],
)
def test_signs_within_words_and_names_in_capitals_tell(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)
    assert not same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("When does the shop open?", "Please, when does the shop open?"),
        ("When does the shop open?", "Can you tell me when the shop does open?"),
        ("What's the price of a city bike?", "What is the price of the city bike"),
        ("Who can't enter the pool?", "Who cannot enter the pool?"),
        ("I would like to know who runs the shop", "Hello, who runs the shop?"),
    ],
)
def test_politeness_and_articles_do_not_tell(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("When does the shop open?", "Where does the shop open?"),
        ("When does the shop open on Monday?", "When does the shop open on Sunday?"),
        ("What does plan 2 cost?", "What does plan 3 cost?"),
        ("Who may enter the pool?", "Who may not enter the pool?"),
        ("Who can enter?", "Who can't enter?"),
        ("Who is the chair?", "Who was the chair?"),
        ("How do I get from Bonn to Paris?", "How do I get from Paris to Bonn?"),
        ("Is it open before six?", "Is it open after six?"),
        ("Can I cancel?", "Can you cancel?"),
        ("Must I pay a deposit?", "May I pay a deposit?"),
        ("How many bikes can I rent?", "How much bikes can I rent?"),
        ("What do adults pay?", "What do children pay?"),
        ("Does Anna report to Bob?", "Does Bob report to Anna?"),
        ("What is the fee with insurance?", "What is the fee without insurance?"),
        ("What is included?", "What is excluded?"),
        ("Which bikes cost more than 50 euros?", "Which bikes cost less than 50 euros?"),
        ("What does it cost?", "What will it cost?"),
        ("And?", "And the?"),
    ],
)
def test_everything_else_tells(one: str, other: str) -> None:
    assert not same(one, other)


def test_the_manner_is_everything_but_the_question() -> None:
    prompt = Prompt("When?", (), "You are Ada.")
    others = {"assistant": "a"}
    assert manner(prompt, others) == manner(replace(prompt, question="Who?", confident=False), others)
    different = [
        manner(replace(prompt, instructions="You are Bob."), others),
        manner(replace(prompt, spoken=True), others),
        manner(prompt, {"assistant": "b"}),
    ]
    assert len({manner(prompt, others), *different}) == 4
