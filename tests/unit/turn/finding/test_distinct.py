"""What an answer rests on says each thing once, and comes from more than one document where several fit."""

from uuid import UUID, uuid4

import pytest

from pipelines.ports.passages import Passage
from pipelines.turn.finding.distinct import chosen, merged

LONG = (
    "Customers may cancel an order until the parcel has left our warehouse. After that the order can be returned within"
    " thirty days, and the price is refunded once the goods have arrived and have been looked at by our staff."
)


def passage(
    text: str, number: int, score: float = 0.5, doc_id: UUID | None = None, source: str = "document_chunks"
) -> Passage:
    return Passage(source, number, doc_id or uuid4(), f"file-{number}.pdf", text, score=score)


def kept(*texts: str, asked: str = "") -> list[int]:
    return [one.chunk_id for one in merged([passage(text, n) for n, text in enumerate(texts)], asked.split())]


def test_the_same_text_and_what_stands_in_it_are_given_once() -> None:
    assert kept("The same text.", "the same  text", "same text") == [0]


def test_a_text_that_was_written_again_with_a_word_changed_is_given_once() -> None:
    assert kept(LONG, LONG.replace("looked at", "checked")) == [0]


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("thirty days", "30 days"),
        ("our staff", "Anna Berg"),
        ("can be returned", "can not be returned"),
        ("can be", "can never be"),
    ],
)
def test_another_figure_name_or_negation_is_another_text(there: str, instead: str) -> None:
    assert kept(LONG, LONG.replace(there, instead)) == [0, 1]


def test_a_word_that_is_asked_for_makes_another_text() -> None:
    assert kept(LONG, LONG.replace("parcel", "sofa"), asked="sofa") == [0, 1]


def test_a_text_that_goes_on_is_not_lost() -> None:
    more = "and sofas are fetched at home, which is free of charge in the city and has a fee elsewhere in the country"
    assert kept(LONG, f"{LONG} {more}") == [0, 1]


def test_a_contained_part_of_a_word_is_no_part_of_a_text() -> None:
    assert kept("We started in spring.", "art") == [0, 1]


def test_one_document_does_not_take_every_place() -> None:
    big, small = uuid4(), uuid4()
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa".split()
    ranked = [passage(f"{word} {word}{word}", n, 0.80 - n / 1000, big) for n, word in enumerate(words)]
    ranked.append(passage("something short by somebody else", 99, 0.76, small))
    ranked.sort(key=lambda one: -one.score)
    found = [one.chunk_id for one in chosen(ranked, "question", 6)]
    assert found[0] == 0
    assert 99 in found


def test_a_far_worse_passage_is_not_taken_for_being_different() -> None:
    doc_id = uuid4()
    ranked = [passage(f"part {n} about something else {n * 7}", n, 0.8 - n / 100, doc_id) for n in range(6)]
    assert 99 not in [one.chunk_id for one in chosen([*ranked, passage("unrelated", 99, 0.2)], "part", 6)]


def test_sources_take_turns_where_they_fit_alike() -> None:
    chunks = [passage(f"alpha{n} beta{n} gamma{n}", n, 0.700 - n / 10000) for n in range(6)]
    note = passage("delta epsilon zeta", 50, 0.695, source="logic_notes")
    assert 50 in [one.chunk_id for one in chosen([*chunks, note], "question", 4)]


def test_the_best_passage_stays_first_and_no_more_are_given_than_wanted() -> None:
    ranked = [passage(f"text number {n} {n * 3}", n, 1 - n / 10) for n in range(9)]
    found = chosen(ranked, "text", 3)
    assert found[0].chunk_id == 0
    assert len(found) == 3
    assert chosen([], "text", 3) == []
