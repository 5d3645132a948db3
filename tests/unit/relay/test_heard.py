"""What a listener has heard of an answer."""

import pytest

from api.spoken.heard import Heard


def answer() -> Heard:
    heard = Heard()
    for seq, text in enumerate(["One two three four.", "Five six seven eight.", "Nine ten."]):
        heard.says(seq, text)
        heard.sounds(seq, 1000, last=False)
        heard.sounds(seq, 1000, last=True)
    return heard


@pytest.mark.parametrize(
    ("played_ms", "words"),
    [
        (0, ""),
        (100, ""),
        (1000, "One two"),
        (1999, "One two three"),
        (2000, "One two three four."),
        (2100, "One two three four."),
        (3000, "One two three four. Five six"),
        (6000, "One two three four. Five six seven eight. Nine ten."),
        (9000, "One two three four. Five six seven eight. Nine ten."),
    ],
)
def test_whole_sentences_and_whole_words_are_heard(played_ms: float, words: str) -> None:
    assert answer().text(played_ms) == words


def test_words_are_heard_when_their_provider_says_so() -> None:
    heard = Heard()
    heard.says(0, "One two three.")
    words = [{"text": "One", "end_ms": 200}, {"text": "two", "end_ms": 1500}, {"text": "three.", "end_ms": 1900}]
    heard.sounds(0, 2000, True, words)
    assert [heard.text(at) for at in (100, 1000, 1600, 2000)] == ["", "One", "One two", "One two three."]


def test_a_sentence_that_is_not_whole_yet_is_not_heard_whole() -> None:
    heard = Heard()
    heard.says(0, "One two three four five six seven eight nine ten eleven twelve.")
    heard.sounds(0, 1000)
    assert heard.text(1000).startswith("One two three") and "twelve" not in heard.text(1000)


def test_a_sentence_without_a_voice_is_heard_where_a_later_one_is() -> None:
    heard = Heard()
    heard.says(0, "One two.")
    heard.says(1, "Three four.")
    heard.says(2, "Five six.")
    heard.sounds(0, 1000, last=True)
    heard.sounds(1, 0, last=True)
    heard.sounds(2, 1000, last=True)
    assert heard.text(900) == "One"
    assert heard.text(1000) == "One two."
    assert heard.text(1700) == "One two. Three four. Five"


def test_only_what_sounded_of_late_can_come_back_as_an_echo() -> None:
    assert answer().around(5000, 1500) == "Five six seven eight. Nine ten."
    assert answer().around(100, 1500) == "One two three four."


def test_what_was_heard_survives_being_written() -> None:
    restored = Heard.restored(answer().as_json(), 3, 0)
    assert [restored.text(at) for at in range(0, 7000, 250)] == [answer().text(at) for at in range(0, 7000, 250)]
    assert restored.sent_ms == 6000


def test_what_did_not_arrive_was_not_given_out() -> None:
    restored = Heard.restored(answer().as_json(), 1, 1)
    assert restored.sent_ms == 3000
    restored.sounds(1, 1000, last=True)
    assert restored.text(9000) == "One two three four. Five six seven eight."
