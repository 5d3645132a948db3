"""Two rankings become one, in which neither drags the other down."""

from uuid import UUID, uuid4

from pipelines.ports.passages import Passage
from pipelines.turn.finding.fusion import Card, Rankings, coverage, fused, trusted
from pipelines.turn.wording.words import content_words

DOC = uuid4()


def passage(text: str, number: int = 1, doc_id: UUID | None = None, **fields: object) -> Passage:
    return Passage("document_chunks", number, doc_id or uuid4(), f"file-{number}.pdf", text, **fields)  # type: ignore[arg-type]


def order(rankings: Rankings, question: str) -> list[int]:
    return [found.chunk_id for found in fused(rankings, question)]


def test_what_both_rankings_find_comes_first_with_both_scores() -> None:
    dense = [passage("dense only", 2, similarity=0.9), passage("both", 1, similarity=0.8), passage("far", 4)]
    lexical = [passage("both", 1, bm25=9.0), passage("words only", 3, bm25=4.0)]
    best = fused(Rankings(dense, lexical), "both words")
    assert best[0].chunk_id == 1
    assert (best[0].similarity, best[0].bm25) == (0.8, 9.0)
    assert {found.chunk_id for found in best} == {1, 2, 3, 4}
    assert all(0 <= found.score <= 1 for found in best)


def test_words_of_another_language_leave_the_order_of_the_vectors() -> None:
    """ "die" is German for "the"; that English chunks have it says nothing."""
    dense = [
        passage("Shipping takes four days.", 1, similarity=0.7),
        passage("The plants die in winter.", 2, similarity=0.5),
    ]
    lexical = [passage("The plants die in winter.", 2, bm25=8.0), passage("Shipping takes four days.", 1, bm25=0.1)]
    assert order(Rankings(dense, lexical), "Wie lange dauert die Lieferung meiner Bestellung?") == [1, 2]


def test_words_that_stand_together_win_over_the_same_words_apart() -> None:
    apart = passage(
        "The return of goods is free. A label is on the box. The post office takes parcels.",
        1,
        similarity=0.7,
        bm25=5.0,
    )
    near = passage(
        "Print the return label at home. Goods and boxes are taken at any time.", 2, similarity=0.7, bm25=5.0
    )
    dense = [apart, near, passage("nothing", 3, similarity=0.1)]
    assert order(Rankings(dense, [apart, near, passage("nothing", 3, bm25=1)]), "Where is the return label?")[0] == 2


def test_words_in_one_sentence_win_over_the_same_words_in_several() -> None:
    apart = passage("Goods are free. Nobody wants the return. Labels were blue.", 1, similarity=0.7, bm25=5.0)
    near = passage("A blue sticker. The label for every return lies there. Goods came.", 2, similarity=0.7, bm25=5.0)
    dense = [apart, near, passage("nothing", 3, similarity=0.1)]
    lexical = [apart, near, passage("nothing", 3, bm25=1)]
    assert order(Rankings(dense, lexical), "return, and which label?")[0] == 2


def test_neighbouring_words_win_over_the_same_words_in_a_sentence() -> None:
    apart = passage("The label is for every return of goods.", 1, similarity=0.7, bm25=5.0)
    near = passage("For every return label of goods it is.", 2, similarity=0.7, bm25=5.0)
    dense = [apart, near, passage("nothing", 3, similarity=0.1)]
    lexical = [apart, near, passage("nothing", 3, bm25=1)]
    assert order(Rankings(dense, lexical), "return label")[0] == 2


def test_without_vectors_few_words_still_make_an_order() -> None:
    lexical = [passage("Bridges open.", 9, bm25=4.0), passage("An open door.", 1, bm25=2.0)]
    assert order(Rankings([], lexical), "When does the painted harbour gate open towards distant mountains?") == [9, 1]


def test_a_question_without_words_of_its_own_is_left_to_the_vectors() -> None:
    dense = [passage("one", 1, similarity=0.6), passage("two", 2, similarity=0.5)]
    assert order(Rankings(dense, []), "What is it?") == [1, 2]
    assert order(Rankings([], []), "What is it?") == []


def test_without_vectors_the_words_decide() -> None:
    lexical = [passage("The bicycle costs ten euros.", 2, bm25=4.0), passage("A bicycle.", 1, bm25=2.0)]
    assert order(Rankings([], lexical), "What does a bicycle cost?") == [2, 1]


def test_a_card_tells_documents_with_the_same_pages_apart() -> None:
    first, second = uuid4(), uuid4()
    text = "Net sales were {} million in the quarter."
    dense = [
        passage(text.format(12), 1, first, similarity=0.81),
        passage(text.format(13), 2, second, similarity=0.80),
        passage("other", 3, similarity=0.1),
    ]
    lexical = [passage(text.format(12), 1, first, bm25=3.0), passage(text.format(13), 2, second, bm25=3.0)]
    cards = {first: Card(0.3, frozenset({"quart"})), second: Card(0.3, frozenset({"quart", "third"}))}
    asked = "What were net sales in the third quarter?"
    assert order(Rankings(dense, lexical), asked)[0] == 1
    assert order(Rankings(dense, lexical, cards), asked)[0] == 2


def test_a_document_without_a_card_is_not_put_behind_those_with_one() -> None:
    carded, single = uuid4(), uuid4()
    best, other = "Late books cost a fine.", "Late books cost some more."
    dense = [passage(best, 1, single, similarity=0.80), passage(other, 2, carded, similarity=0.79), passage("x", 3)]
    lexical = [passage(best, 1, single, bm25=6.0), passage(other, 2, carded, bm25=5.9), passage("x", 3, bm25=0.1)]
    cards = {carded: Card(0.79, frozenset({"book"}))}
    assert order(Rankings(dense, lexical, cards), "What do late books cost?")[0] == 1


def test_words_are_believed_as_far_as_they_are_held() -> None:
    held = [passage("Net sales in Europe rose.")]
    assert trusted(held, content_words("net sales in Europe")) == 1.0
    assert 0 < trusted(held, content_words("net sales in Asia")) < 1
    assert trusted(held, content_words("the sales of bread, cake, jam and tea")) == 0.0
    assert trusted(held, content_words("bread sales")) == 0.0
    assert coverage([passage("Net sales in Europe rose.")], content_words("net sales in Asia")) == 2 / 3
    assert coverage([], {"net"}) == 0.0
    assert coverage([passage("text", title="Annual Report 2023")], {"2023"}) == 1.0


def test_titles_and_headings_count_as_words_of_a_passage() -> None:
    headed = passage(
        "It is open until six.", 1, similarity=0.5, bm25=2.0, title="City Library", heading_path=("Opening hours",)
    )
    bare = passage("It is open until nine.", 2, similarity=0.5, bm25=2.0, title="Harbour Hotel")
    rankings = Rankings([bare, headed, passage("x", 3, similarity=0.1)], [bare, headed, passage("x", 3, bm25=1.0)])
    assert order(rankings, "opening hours of the city library")[0] == 1


def test_words_of_a_script_without_spaces_are_believed_where_they_are_held() -> None:
    wanted = passage("退货须在三十天内提出申请，运费由顾客承担。", 1, similarity=0.60, bm25=9.0)
    other = passage("商店周一至周五营业，周日休息。", 2, similarity=0.61, bm25=0.5)
    rankings = Rankings([other, wanted, passage("x", 3, similarity=0.1)], [wanted, other, passage("x", 3, bm25=0.1)])
    assert order(rankings, "退货的运费由谁承担？")[0] == 1
