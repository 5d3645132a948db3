"""What was said so far tells how long a silence has to be; words in other languages do no harm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn.hearing.intonation import finality
from pipelines.turn.hearing.pauses import NEUTRAL, Pace, completeness, needed_ms

WHOLE = """
What are your opening hours?
Could you send me the invoice again?
I paid the bill last week.
Yes, please.
No.
Thank you.
Where is the nearest branch?
She cancelled her flight on Tuesday.
We have two children.
When does the pool close?
Turn it off.
I don't know.
""".strip().splitlines()

BEGUN = """
I would like to
I would like to.
Can you tell me
Could you please give me?
My address is
My address is...
We were wondering, um
So what I need is the
The reason I'm calling is that
If I come by train,
I'd like a room with a
She works for
I'm looking for something, you know, like
Please send it to my
We moved to Berlin and
It was really
There's another
""".strip().splitlines()


@pytest.mark.parametrize("text", WHOLE)
def test_a_whole_sentence_is_nearly_certainly_the_end(text: str) -> None:
    assert completeness(text) > 0.9


@pytest.mark.parametrize("text", BEGUN)
def test_a_sentence_that_has_to_go_on_is_not_the_end(text: str) -> None:
    assert completeness(text) <= 0.3


@pytest.mark.parametrize(
    "text", ["the blue one on the left", "my brother's old telephone", "If the parcel arrives late"]
)
def test_what_may_go_on_is_in_doubt(text: str) -> None:
    assert 0.05 < completeness(text) <= NEUTRAL


def test_figures_told_one_by_one_may_go_on() -> None:
    assert completeness("My number is 0 1 7 6.") < NEUTRAL
    assert completeness("It is four seven one") < NEUTRAL


@pytest.mark.parametrize(
    "text",
    [
        "Ich rufe dich morgen wieder an.",
        "Was kostet das?",
        "Je voudrais réserver une table pour deux.",
        "¿Dónde está la estación de tren?",
        "Vorrei sapere quanto costa un biglietto per Roma.",
        "請問你們幾點關門？",
    ],
)
def test_a_sentence_in_another_language_is_judged_by_its_punctuation(text: str) -> None:
    assert NEUTRAL < completeness(text) <= 0.95
    assert completeness(text.rstrip(".?？") + "...") < 0.2


def test_nothing_said_tells_nothing() -> None:
    assert completeness("") == completeness("  ... ") == NEUTRAL


@given(st.text(max_size=80))
def test_any_text_has_a_completeness(text: str) -> None:
    assert 0 <= completeness(text) <= 1


@given(
    silence_ms=st.floats(100, 2_000),
    complete=st.floats(-0.5, 1.5),
    pauses=st.lists(st.floats(0, 5_000), max_size=20),
)
def test_the_silence_stays_within_its_bounds(silence_ms: float, complete: float, pauses: list[float]) -> None:
    pace = Pace()
    for pause in pauses:
        pace.paused(pause)
    bounds = (silence_ms / 2, silence_ms * 2)
    needed = needed_ms(silence_ms, bounds, complete, pace)
    assert bounds[0] <= needed <= bounds[1]
    assert needed >= needed_ms(silence_ms, bounds, complete + 0.1, pace)


def test_a_pace_is_known_only_after_some_pauses_and_only_lengthens() -> None:
    pace = Pace()
    for _ in range(3):
        pace.paused(700)
    assert pace.needed_ms(600) == 600
    pace.paused(700)
    assert pace.needed_ms(600) == 875
    slow, fast = Pace(), Pace()
    for _ in range(12):
        slow.paused(2_000)
        fast.paused(200)
    assert slow.needed_ms(600) == 900 and fast.needed_ms(600) == 600


def voice(melody_hz: list[float], step_s: float = 0.2) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return a buzz that goes through a melody."""
    at = np.arange(int(len(melody_hz) * step_s * 16_000)) / 16_000
    hz = np.interp(at, np.arange(len(melody_hz)) * step_s + step_s / 2, melody_hz)
    phase = np.cumsum(hz) / 16_000 * 2 * np.pi
    return np.asarray(sum(np.sin(k * phase) / k for k in range(1, 8)) * 0.1, np.float32)


@pytest.mark.parametrize("middle_hz", [100.0, 210.0])
def test_a_melody_tells_an_end_from_a_pause(middle_hz: float) -> None:
    line = [middle_hz, middle_hz * 1.1, middle_hz * 0.95, middle_hz, middle_hz * 1.05]
    fallen = voice([*line, *line, middle_hz * 0.85, middle_hz * 0.72, middle_hz * 0.7, middle_hz * 0.7])
    held = voice([*line, *line, middle_hz, middle_hz * 1.02, middle_hz, middle_hz])
    risen = voice([*line, *line, middle_hz * 1.1, middle_hz * 1.3, middle_hz * 1.5, middle_hz * 1.5])
    quiet = np.zeros(3_200, np.float32)
    assert finality(np.concatenate([fallen, quiet])) > 0.8
    assert finality(np.concatenate([held, quiet])) < -0.8
    assert finality(np.concatenate([risen, quiet])) == 0


def test_what_has_no_melody_tells_nothing() -> None:
    noise = np.random.default_rng(2).standard_normal(48_000).astype(np.float32) * 0.1
    for sound in (noise, np.zeros(16_000, np.float32), noise[:100], noise[:0]):
        assert finality(sound) == 0
