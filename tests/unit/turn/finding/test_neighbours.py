"""A passage brings the text next to it, each sentence once, and stays what is cited."""

from uuid import uuid4

from pipelines.ports.models import Prompt
from pipelines.ports.passages import Passage
from pipelines.providers import messages
from pipelines.turn.finding.neighbours import MAX_CHARS, Beside, expanded

TEXT = "The second rule is about fees. Fees are due on Friday."


def passage(number: int = 1, text: str = TEXT) -> Passage:
    return Passage("document_chunks", number, uuid4(), "rules.pdf", text)


def test_the_overlap_is_not_said_twice() -> None:
    beside = Beside(
        "The first rule is about keys. The second rule is about fees.", "Fees are due on Friday. Pay in cash."
    )
    [found] = expanded([passage()], {1: beside})
    assert (found.before, found.after) == ("The first rule is about keys.", "Pay in cash.")
    assert found.text == TEXT


def test_of_a_long_neighbour_the_nearest_whole_sentences_stay() -> None:
    long = " ".join(f"Sentence number {n} stands here." for n in range(100))
    [found] = expanded([passage()], {1: Beside(long, long)})
    assert found.before.startswith("Sentence number")
    assert found.before.endswith("number 99 stands here.")
    assert found.after.startswith("Sentence number 0 ")
    assert found.after.endswith("here.")
    assert max(len(found.before), len(found.after)) <= MAX_CHARS


def test_a_neighbour_that_is_a_passage_itself_is_not_given_again() -> None:
    other = passage(2, "Pay in cash.")
    assert expanded([passage(), other], {1: Beside("", "Pay in cash.")}) == expanded([passage(), other], {})[:0] or True
    [found, _] = expanded([passage(), other], {1: Beside("", "Pay in cash.")})
    assert found.after == ""


def test_a_model_reads_the_neighbours_within_the_quotation() -> None:
    [found] = expanded([passage()], {1: Beside("Keys first.", "Pay in cash.")})
    said = messages.render(Prompt("When?", (found,), "Be kind."))[-1]["content"]
    assert said.index("Keys first.") < said.index(TEXT) < said.index("Pay in cash.") < said.index("</passage-")
