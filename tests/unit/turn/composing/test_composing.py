"""What an answer without a model leads with, how much it says, in whose tone, and what a refusal tells."""

from dataclasses import dataclass, fields
from typing import Any
from uuid import uuid4

import pytest

from pipelines.ports.models import Prompt
from pipelines.ports.passages import Passage
from pipelines.text import sentences
from pipelines.turn.composing.compose import compose, is_refusal
from pipelines.turn.wording.phrases import LANGUAGES, language_of, phrases

OVEN = (
    "The oven reaches 250 degrees. To clean the oven:\n- switch it off\n- let it cool down\n- wipe it\n\n"
    "The oven has a warranty of two years. The oven weighs 31 kilograms. Never clean the oven with steam."
)
RATES = "Room | Single | Double\nSmall room | €60 | €80\nLarge room | €95 | €120\nParking costs €9 a night."
STEPS = "1. Fill the tank.\n2. Press the green button.\n3. Wait until the lamp of the pump goes out."


@dataclass(frozen=True)
class Persona:
    """As the prompt carries it."""

    formality: float = 0.5
    detail: float = 0.5
    energy: float = 0.5
    language: str | None = None


@dataclass(frozen=True)
class Framed(Prompt):
    """A prompt with a persona."""

    persona: Any = None


PASSAGES = tuple(
    Passage("document_chunks", number, uuid4(), name, text, headings, similarity=0.8, score=1 - number / 10)
    for number, (name, headings, text) in enumerate(
        [("oven.pdf", ("Oven",), OVEN), ("rates.pdf", ("Rates",), RATES), ("pump.txt", ("Starting the pump",), STEPS)]
    )
)


def asked(question: str, persona: Persona | None = None, **others: Any) -> str:
    return compose(Framed(question, PASSAGES, "", persona=persona, **others))


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("How heavy is the oven?", "31 kilograms"),
        ("How long is the warranty of the oven?", "two years"),
        ("How hot does the oven get?", "250 degrees"),
        ("How much is a double in the large room?", "Large room — Single: €95; Double: €120. [2]"),
        ("What does parking cost?", "Parking costs €9 a night. [2]"),
        (
            "How do I clean the oven?",
            "To clean the oven: switch it off; let it cool down; wipe it. [1]",
        ),
    ],
)
def test_an_answer_of_the_asked_kind_leads(question: str, fact: str) -> None:
    assert fact in asked(question)


def test_steps_are_given_from_the_first_to_the_last() -> None:
    assert asked("How do I start the pump?") == (
        "Fill the tank. [3] Press the green button. [3] Wait until the lamp of the pump goes out. [3]"
    )


def test_an_answer_has_three_sentences_at_most() -> None:
    for question in ("What about the oven?", "Tell me about the oven and the warranty", "Is the oven clean?"):
        answer = asked(question)
        assert not is_refusal(answer)
        assert len(sentences(answer)) <= 3


def test_detail_decides_how_much_is_said() -> None:
    question = "What is said about the oven?"
    said = [asked(question, Persona(detail=detail)).count("[1]") for detail in (0.0, 0.5, 1.0)]
    assert said[0] == 1
    assert said[0] < said[1] < said[2] <= 4


def test_formality_and_energy_change_the_frame_and_not_the_facts() -> None:
    question = "What does parking cost?"
    fact = asked(question)
    tones = {
        (formality, energy): asked(question, Persona(formality=formality, energy=energy))
        for formality in (0.0, 0.5, 1.0)
        for energy in (0.0, 0.5, 1.0)
    }
    assert all(fact in tone for tone in tones.values())
    assert tones[0.5, 0.5] == fact
    assert tones[1.0, 0.5].startswith("Thank you for your question.")
    assert tones[0.0, 0.0] == f"Sure. {fact}"
    assert "!" in tones[0.0, 1.0]
    assert len(set(tones.values())) >= 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_refusals_are_in_the_language_of_the_persona_and_are_recognised(language: str) -> None:
    persona = Persona(language=f"{language}-XX")
    answer = asked("Who won the chess tournament?", persona, confidence=0.01, confident=False)
    said = phrases(language)
    assert answer.startswith(said.dont_know)
    assert is_refusal(answer)
    assert not is_refusal(asked("What does parking cost?", Persona(language=language)))


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Was kostet das Parken in der Garage?", "de"),
        ("¿Cuánto cuesta el aparcamiento?", "es"),
        ("Combien coûte le parking ?", "fr"),
        ("How much is parking?", "en"),
        ("parking", "en"),
    ],
)
def test_without_a_persona_the_question_decides_on_the_language(question: str, language: str) -> None:
    assert language_of(question) == language


def test_a_refusal_says_what_is_missing_or_quotes_what_comes_near() -> None:
    far = asked("Does the oven have a rotisserie?", confidence=0.02, confident=False)
    assert "“rotisserie”" in far
    assert "oven.pdf (“Oven”)" in far
    near = asked("How heavy is the oven door?", confidence=0.4, confident=False)
    assert is_refusal(near)
    assert "says: “The oven weighs 31 kilograms.”" in near
    assert "[" not in far + near


def test_between_the_low_band_and_the_threshold_the_answer_is_hedged() -> None:
    question = "How heavy is the oven?"
    assert is_refusal(asked(question, confidence=0.59, confident=False))
    hedged = asked(question, confidence=0.65, confident=False)
    assert hedged.startswith("I am not certain")
    assert "31 kilograms. [1]" in hedged
    assert asked(question, confidence=0.3, confident=True).startswith("The oven weighs")


@pytest.mark.parametrize("spoken", [False, True])
def test_a_refusal_advises_nobody_to_add_what_a_visitor_cannot(spoken: bool) -> None:
    answer = asked("Who is the mayor?", spoken=spoken, confidence=0.01, confident=False)
    assert is_refusal(answer)
    assert "you can" not in answer.lower()


def test_every_language_has_every_phrase() -> None:
    for said in LANGUAGES.values():
        assert all(getattr(said, field.name) for field in fields(said))
        assert "{places}" in said.nearest
        assert "{quote}" in said.says


def test_small_talk_is_answered_in_its_language() -> None:
    assert asked("Hallo!", Persona(language="de")) == phrases("de").hello
    assert asked("Merci beaucoup", Persona(language="fr")) == phrases("fr").welcome
