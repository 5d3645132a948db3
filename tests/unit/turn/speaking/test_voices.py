"""Whose voice, at what speed, in which language; and what is said while an answer is late."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn.speaking.fillers import OURS, filler
from pipelines.turn.speaking.voices import Manner, manner

AGENT: dict[str, Any] = {"voice_id": "amy", "voice_speed": 1.5, "language": "en-GB", "persona": {"language": None}}


def test_an_assistant_speaks_with_its_own_voice_and_speed() -> None:
    assert manner(AGENT, {}, {}, "en") == Manner("amy", 1.5, "en-GB")


def test_what_the_listener_prefers_counts_before_the_account_and_the_account_before_the_assistant() -> None:
    account = {"voice_preference": "carl", "language": "fr"}
    assert manner(AGENT, {}, account, "en") == Manner("carl", 1.5, "fr")
    assert manner(AGENT, {"voice_id": "dora", "voice_speed": 0.75, "language": "de"}, account, "en") == Manner(
        "dora", 0.75, "de"
    )


def test_an_answer_is_read_in_the_language_it_is_written_in() -> None:
    assert manner({**AGENT, "persona": {"language": "it"}}, {}, {}, "en").language == "it"
    assert manner(AGENT, {}, {}, "de").language == "de"
    assert manner({}, {}, {}, None).language is None


@given(st.one_of(st.floats(), st.integers(), st.text(), st.booleans(), st.none(), st.just([1])))
def test_no_speed_leaves_its_bounds(value: object) -> None:
    assert 0.5 <= manner(AGENT, {"voice_speed": value}, {}, None).speed <= 2


@given(st.one_of(st.floats(), st.text(" ", max_size=3), st.none(), st.just({})))
def test_what_is_no_voice_is_passed_over(value: object) -> None:
    assert manner(AGENT, {"voice_id": value}, {"voice_preference": value}, None).voice_id == "amy"


TURN = UUID(int=7)


def test_an_assistants_own_words_go_first() -> None:
    own = {"en": ["Hang on."], "en-GB": ["Bear with me."]}
    assert filler(own, "en-GB", TURN) == "Bear with me."
    assert filler(own, "en-US", TURN) == "Hang on."
    assert filler(own, "de", TURN) in OURS["de"]
    assert filler({}, None, TURN) in OURS["en"]


def test_the_same_turn_gets_the_same_words_and_others_get_others() -> None:
    assert filler({}, "en", TURN) == filler({}, "en", TURN)
    assert {filler({}, "en", UUID(int=turn)) for turn in range(20)} == set(OURS["en"])


@pytest.mark.parametrize("language", ["xx", "gsw-CH"])
def test_nobody_is_spoken_to_in_another_language(language: str) -> None:
    assert filler({}, language, TURN) is None
