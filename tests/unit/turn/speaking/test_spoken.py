"""What is read aloud has no marks that only the eye understands."""

import itertools
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn.speaking.spoken import speakable


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
        ("On 2021-05-03.", "On May third, 2021."),
        ("pages 3-5, 1990-2000", "pages 3 to 5, 1990 to 2000"),
        ("Call 555-0142.", "Call five five five, zero one four two."),
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the 1st, 22nd and 113th", "the first, twenty second and one hundred and thirteenth"),
        ("1/2 cup, 2 1/2 or 2½ hours, ¾", "one half cup, 2 and a half or 2 and a half hours, three quarters"),
        ("1/5 of all gave 7/10, 24/7", "one fifth of all gave 7 out of 10, twenty four seven"),
        ("Henry VIII, Louis XIV. Elizabeth I saw", "Henry the eighth, Louis the fourteenth. Elizabeth I saw"),
        ("Queen Elizabeth I in World War II", "Queen Elizabeth the first in World War two"),
        ("Chapter IV, part I, Malcolm X, an IV, I", "Chapter four, part one, Malcolm X, an IV, I"),
        ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        (
            "(555) 010-0142 or 0800 123456",
            "five five five, zero one zero, zero one four two or zero eight zero zero, one two three four five six",
        ),
        (
            "25.12.2021, 12/25/2021, 3/5/2021",
            "December twenty fifth, 2021, December twenty fifth, 2021, 3 slash 5 slash 2021",
        ),
        (
            "May 3, 2021; the 3rd of May; 3–5 June; 3 May",
            "May third, 2021; the third of May; the third to fifth of June; the third of May",
        ),
        ("Jan 5 at 9am-5pm, Feb. 2024", "January fifth at 9 A M to 5 P M, February 2024"),
        ("2021-05-03T09:05:00Z", "May third, 2021, 9 oh 5"),
        ("in the 1990s, the '80s, 30s", "in the nineteen nineties, the eighties, 30 seconds"),
        ("We close at 5 p.m. The door shuts at 6 p.m.", "We close at 5 P M. The door shuts at 6 P M."),
        ("$5–10, -$3, US$1, CHF 20, 5 USD", "5 to 10 dollars, minus 3 dollars, 1 dollar, 20 Swiss francs, 5 dollars"),
        ("€5/month, 3 €/kg, $1.5M", "5 euros per month, 3 euros per kilogram, 1.5 million dollars"),
        ("jo_doe+x@my-shop.org", "jo underscore doe plus x at my dash shop dot org"),
        (
            "Node.js, snake_case, 192.168.0.1, v1.2.3",
            "Node dot js, snake case, 192 dot 168 dot 0 dot 1, version 1 point 2 point 3",
        ),
        ("5 m², 20 x 30 cm, 10x, 5+, 45°", "5 square metres, 20 by 30 centimetres, 10 times, 5 or more, 45 degrees"),
        (
            "~5 ± 2, ≥3, <4, x² = 9, 2 * 3",
            "about 5 plus or minus 2, at least 3, less than 4, x squared equals 9, 2 by 3",
        ),
        ("Settings → Wi-Fi, § 5, #3, pp. 3–5", "Settings, Wi-Fi, section 5, number 3, pages 3 to 5"),
        ("Dr. Smith of St. Paul, etc. The rest, etc.", "Doctor Smith of Saint Paul, and so on. The rest, and so on."),
        ("1,290,000 people – 5 minutes later", "1290000 people, 5 minutes later"),
        ("Great 👍🏽 job 😀! 1️⃣ :-)", "Great job! 1"),
        ("# Title\n> quoted <b>it</b><br/>new &amp; old", "Title, quoted it, new and old"),
        ("- [x] done\n- [ ] open", "done, open"),
        ("| Plan | Wi-Fi |\n|---|:-:|\n| Pro | ✓ |\n| Free | ❌ |", "Plan: Pro, Wi-Fi: yes. Plan: Free, Wi-Fi: no."),
        ("So:\n```python\nx = 1\ny = 2\n```\nThat is all.", "So: code example, That is all."),
        ("Run `ls`, see [the list][1] and\n\n[1]: https://x.org/y", "Run ls, see the list and"),
        ("```python", ""),
        ("100/100, 12/15, 2 4/4, V8", "100 out of 100, 12 out of 15, 2 4 out of 4, V8"),
        ("(+49) 30 123456, +3 °C", "plus four nine, three zero, one two three four five six, plus 3 degrees Celsius"),
        ("1.000.000 and 50¢ a - b", "1000000 and 50 cents a, b"),
        ("C#, .NET, B2B, COVID-19, A4, AT&T", "C#, .NET, B2B, COVID-19, A4, AT&T"),
        ("It is at https://docs.aura.example.org.", "It is at docs dot aura dot example dot org."),
    ],
)
def test_what_is_short_for_the_eye_is_said_in_full(text: str, said: str) -> None:
    assert speakable(text) == said


def test_a_date_in_figures_is_read_as_its_country_writes_it() -> None:
    assert speakable("3/5/2021", "en-US") == "March fifth, 2021"
    assert speakable("3/5/2021", "en-GB") == "May third, 2021"


def test_in_other_languages_only_markup_and_addresses_go() -> None:
    text = "3. Mai 2021, 9:30 Uhr, 5 km, **[Seite](https://x.de/a)** [1] 😀 https://www.example.de/a/b?c"
    assert speakable(text, "de-DE") == "3. Mai 2021, 9:30 Uhr, 5 km, Seite example.de"


@given(st.text(max_size=200), st.sampled_from([None, "en-US", "de"]))
def test_any_text_becomes_one_line_that_says_something_or_nothing(text: str, language: str | None) -> None:
    said = speakable(text, language)
    assert "\n" not in said
    assert said == "" or re.search(r"\w", said)


WORDS = "alpha bravo Charlie delta echo Foxtrot golf hotel India".split()
DRESSES = (
    "{} **{}** _{}_ `{}` ~~{}~~ [{}](https://e.org/a) ![{}](x.png) <b>{}</b> # {}\n- {}\n> {}\n1. {}\n|{}|5|\n"
    "{}[1] ({}) “{}” {}, {}. {}! 3 {}😀 {}\n\n\n{} | {} $5 {} 50% {} 2021-05-03 {} –{} –\u00a0{}\u200b &amp;{}"
).split(" ")
DRESSED = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(DRESSES)), max_size=20)


@given(DRESSED, st.sampled_from([None, "fr"]))
def test_no_word_is_lost_and_none_moves(dressed: list[tuple[str, str]], language: str | None) -> None:
    words = [word for word, dress in dressed if "{}" in dress]
    said = speakable(" ".join(dress.format(*[word] * dress.count("{}")) for word, dress in dressed), language)
    found = [word for word in re.findall(r"[A-Za-z]+", said) if word in WORDS]
    assert [word for word, _ in itertools.groupby(found)] == [word for word, _ in itertools.groupby(words)]


@given(DRESSED)
def test_what_is_speakable_stays_as_it_is(dressed: list[tuple[str, str]]) -> None:
    said = speakable(" ".join(dress.replace("{}", word) for word, dress in dressed))
    assert speakable(said) == said


HOSTILE = (
    "a. @a. [a]( http:// 1- 12: _ x– | 1, <a < &#1; ```\n ~~~\n |-|\n - > [ [1] [^1, (555)\u00a0 +1\u00a0 "
    "1/ May\u00a03\u00a0 "
    "Mon– X $1- € 5m 1.1. ½ \t a@b. www.a. a.b/ #\u00a0 * __ \\ 1st 12:30 9\u00a0am- 1990s\u00a0 ' \" – -> = e.g. p.5 "
    "v1. <b> 😀 <!-- &amp; _a 0123\u00a0 1x 3\u00a0May\u00a0 a\u00a0, \u200b |a|\n|-|\n"
).split(" ")


@pytest.mark.timeout(300)
def test_hostile_repetition_takes_time_only_in_proportion() -> None:
    for piece in HOSTILE:
        began = time.process_time()
        speakable(piece * (20_000 // len(piece)))
        assert time.process_time() - began < 1, piece
    began = time.process_time()
    speakable("".join(HOSTILE) * (100_000 // len("".join(HOSTILE))))
    assert time.process_time() - began < 5
