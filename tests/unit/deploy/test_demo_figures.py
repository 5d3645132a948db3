"""What the demo judges by: word errors and the waterfall."""

import pytest
from rich.console import Console

from deploy.demo import word_error_rate
from deploy.waterfall import waterfall


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("Put it in the blue rack.", "put it in the blue rack", 0),
        ("Put it in the blue rack [1].", "Put it in the blue rack.", 0),
        ("put it in the blue rack", "put in the blue track", 2 / 6),
        ("at nine from platform two", "at 9 from platform 2", 0),
        ("put it away", "", 1),
        ("", "something", 1),
    ],
)
def test_word_errors_count_missing_added_and_different_words(said: str, heard: str, errors: float) -> None:
    assert word_error_rate(said, heard) == pytest.approx(errors)


def test_the_waterfall_shows_stages_in_the_order_they_began() -> None:
    timings = {
        "generate": {"start_ms": 40.0, "queued_ms": 2.0, "run_ms": 60.0},
        "retrieve": {"start_ms": 3.0, "queued_ms": 3.0, "run_ms": 35.0},
        "first_token_ms": 48.0,
    }
    console = Console(width=100, record=True)
    with console.capture() as shown:
        console.print(waterfall(timings))

    lines = shown.get().splitlines()
    assert [line.split()[0] for line in lines] == ["stage", "retrieve", "generate", "first"]
    begins = [line.index("█") for line in lines[1:3]]
    assert begins[0] < begins[1]


def test_a_turn_without_timings_has_an_empty_waterfall() -> None:
    assert waterfall({}).row_count == 0
