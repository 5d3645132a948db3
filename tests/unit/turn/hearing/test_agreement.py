"""What two transcripts in a row agree on is settled and never changes."""

import random

import pytest

from pipelines.turn.hearing.agreement import Agreement, Partial


def heard(*texts: str) -> list[Partial]:
    agreement = Agreement()
    return [agreement.hear(text) for text in texts]


def test_nothing_is_settled_by_one_transcript() -> None:
    assert heard("Where do I") == [Partial("Where do I", "")]


def test_what_two_transcripts_agree_on_is_settled() -> None:
    found = heard("Where do I leaf", "Where do I leave the", "Where do I leave the bike?")
    assert [one.stable for one in found] == ["", "Where do I", "Where do I leave the"]
    assert found[-1].text == "Where do I leave the bike?"


def test_case_and_marks_make_no_difference_and_a_mark_waits_for_the_next_word() -> None:
    found = heard("hello.", "Hello, world.", "Hello, world, again")
    assert [one.stable for one in found] == ["", "Hello", "Hello, world"]
    assert found[1].text == "Hello, world."


def test_a_settled_word_stays_though_a_later_transcript_has_it_otherwise() -> None:
    found = heard(
        "I have two bikes", "I have two bikes and", "I had too bikes and a car", "I had too bikes and a car now"
    )
    assert found[1].stable == "I have two bikes"
    assert found[2].text == "I have two bikes and a car"
    assert found[3].stable == "I have two bikes and a car"


def test_a_word_heard_as_two_is_not_told_twice() -> None:
    found = heard(
        "My website is", "My website is down", "My web site is down today", "My web site is down today please"
    )
    assert found[-1].stable == "My website is down today"
    assert found[-1].text == "My website is down today please"


def test_an_empty_transcript_takes_nothing_back() -> None:
    found = heard("Good morning", "Good morning everybody", "", "Good morning everybody here")
    assert found[2].stable == "Good morning" and found[2].text.startswith("Good morning")
    assert found[3].text == "Good morning everybody here"


def test_after_a_drop_transcripts_begin_later() -> None:
    agreement = Agreement()
    for text in ("I am late. Where", "I am late. Where is", "I am late. Where is the"):
        agreement.hear(text)
    assert agreement.drop("I am late.")
    assert agreement.hear("Where is the key?") == Partial("I am late. Where is the key?", "I am late. Where is the")


def test_what_is_said_again_after_a_drop_is_not_taken_for_what_was_dropped() -> None:
    agreement = Agreement()
    for text in ("One two three. One", "One two three. One two", "One two three. One two"):
        agreement.hear(text)
    assert agreement.drop("One two three.")
    assert agreement.hear("One two three four").text == "One two three. One two three four"


def test_sound_is_not_dropped_before_its_words_are_settled() -> None:
    agreement = Agreement()
    agreement.hear("I am late. Where")
    assert not agreement.drop("I am late.")
    agreement.hear("I am late. Where is")
    assert not agreement.drop("I am later.")
    assert not agreement.drop("")


def test_scripts_without_spaces_settle_letter_by_letter() -> None:
    found = heard("今日は天", "今日は天気が", "今日は天気がいい。")
    assert [one.stable for one in found] == ["", "今日は天", "今日は天気が"]
    assert found[-1].text == "今日は天気がいい。"


@pytest.mark.parametrize("seed", range(40))
def test_the_stable_prefix_never_changes(seed: int) -> None:
    """Transcripts that grow, waver, repeat and break off at random, with drops: what was stable stays at the front."""
    chance = random.Random(seed)
    said = [f"{chance.choice(['a', 'Bee', 'sea,', 'eh?', '7'])}{n % 5}{'.' if n % 9 == 8 else ''}" for n in range(36)]
    agreement, stable, begin = Agreement(), "", 0
    for end in range(1, len(said) + 1):
        wavering = [[word] * 9 + [chance.choice(["noise", "", "two words"])] for word in said[begin:end]]
        window = map(chance.choice, wavering)
        partial = agreement.hear(" ".join(window))
        assert partial.stable.startswith(stable) and partial.text.startswith(partial.stable)
        stable = partial.stable
        if end % 9 == 0 and agreement.drop(" ".join(said[begin : end - 4])):
            begin = end - 4
