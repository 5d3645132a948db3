"""What is read aloud has no marks that only the eye understands."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn.spoken import speakable


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It costs €1,290 [1].", "It costs 1290 euros."),
        ("It costs $4.50 or 12 €.", "It costs 4 dollars 50 or 12 euros."),
        ("£2m in 2025; $3.2 million; £0.99", "2 million pounds in 2025; 3.2 million dollars; 99 pence"),
        ("**Bold** 10.5% of 3–5 kg.", "Bold 10.5 percent of 3 to 5 kilograms."),
        ("1 km at −5 °C, max. 30 km/h", "1 kilometre at minus 5 degrees Celsius, at most 30 kilometres per hour"),
        ("From 09:30 to 18:00.", "From 9 30 to 18 o'clock."),
        ("Mon–Fri 09:05–17:30, at 9:00 a.m. or 5pm", "Monday to Friday 9 oh 5 to 17 30, at 9 A M or 5 P M"),
        ("On 2021-05-03.", "On 3 May 2021."),
        ("pages 3-5, 1990-2000", "pages 3 to 5, 1990 to 2000"),
        ("Call 555-0142.", "Call 555 0142."),
        ("No. The motor of No. 5 helps, e.g. uphill.", "No. The motor of number 5 helps, for example uphill."),
        ("- a bullet\n- another", "a bullet, another"),
        ("Name | Price", "Name, Price"),
        ("See [our page](https://example.org/a?b=c).", "See our page."),
        ("Visit https://www.example.org/a?b.", "Visit example dot org."),
        ("Write to jo.doe@example.org", "Write to jo dot doe at example dot org"),
        ("Version 3.5 of the U.S.A. list", "Version 3.5 of the U.S.A. list"),
        ("[2]", ""),
        ("---", ""),
    ],
)
def test_markup_and_figures_become_words(text: str, said: str) -> None:
    assert speakable(text) == said


@given(st.text(max_size=200))
def test_any_text_becomes_one_line_that_says_something_or_nothing(text: str) -> None:
    said = speakable(text)
    assert "\n" not in said
    assert said == "" or re.search(r"\w", said)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("piece", ["a.", "@a.", "[a](", "http://", "1-", "12:", "_", "x–", " |", "1,"])
def test_hostile_repetition_takes_no_time(piece: str) -> None:
    speakable(piece * 20_000)
