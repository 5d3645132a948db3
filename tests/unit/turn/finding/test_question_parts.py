"""A long question is looked for in parts, and each part has its place among what is found."""

from uuid import uuid4

from pipelines.ports.passages import Passage
from pipelines.turn.finding.parts import MAX_PARTS, parts, together

LONG = (
    "I would like to rent two bicycles for a week in June, what would that cost for adults, and can I cancel the"
    " booking if the weather is bad? Also, where is the shop in Ghent?"
)


def passage(number: int, score: float, similarity: float = 0.5) -> Passage:
    return Passage("document_chunks", number, uuid4(), "a.txt", f"text {number}", score=score, similarity=similarity)


def test_a_long_question_is_cut_where_the_next_begins() -> None:
    found = parts(LONG)
    assert [part.split()[0].lower() for part in found] == ["i", "what", "can", "where"]
    assert any("cancel the booking" in part for part in found)


def test_a_short_question_and_one_that_asks_one_thing_stay_whole() -> None:
    assert parts("What does a red helmet cost and where is the bicycle shop?") == []
    assert (
        parts("What was the name of the general who led the northern army over the river in the spring of that year?")
        == []
    )


def test_there_are_not_too_many_parts() -> None:
    assert len(parts(" ".join(f"How much does item number{n} cost today?" for n in range(20)))) == MAX_PARTS


def test_each_part_has_its_best_near_the_top() -> None:
    whole = [passage(1, 0.9), passage(2, 0.8), passage(3, 0.7), passage(4, 0.6)]
    found = together([whole, [passage(10, 0.5)], [passage(20, 0.4), passage(2, 0.3, similarity=0.95)]])
    assert [one.chunk_id for one in found[:4]] == [1, 10, 20, 2]
    assert len(found) == 6
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert next(one for one in found if one.chunk_id == 2).similarity == 0.95


def test_one_ranking_stays_as_it_is() -> None:
    whole = [passage(1, 0.9), passage(2, 0.1)]
    assert together([whole]) == whole
