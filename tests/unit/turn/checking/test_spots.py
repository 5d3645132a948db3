"""The boxes of a citation are those of its quotation, as near as paragraphs tell."""

from uuid import UUID

from pipelines.ingest.chunk import chunk
from pipelines.ingest.elements import Element, Extraction
from pipelines.ports.passages import Box, Passage
from pipelines.turn.checking.citations import cite
from pipelines.turn.checking.spots import narrowed

FIRST = "The shop opens at nine."
LONG = " ".join(f"Sentence number {n} of this paragraph says nothing that the others would not say." for n in range(30))
BOXES = (Box(1, 50, 100, 400, 112), Box(1, 50, 120, 400, 600), Box(2, 50, 100, 400, 112))


def passage() -> Passage:
    """Return three paragraphs, the second of forty lines, as they are cut and found."""
    texts = (FIRST, LONG, "The end stands overleaf.")
    elements = tuple(Element(text, page=box.page, box=box) for text, box in zip(texts, BOXES, strict=True))
    [made] = chunk(Extraction(elements), max_tokens=2000)
    assert len(made.spots) == 3
    return Passage("document_chunks", 1, UUID(int=1), "a.pdf", made.text, boxes=made.boxes, spots=made.spots)


def test_a_paragraph_of_its_own_is_marked_alone() -> None:
    assert narrowed(passage(), FIRST) == [BOXES[0]]
    assert narrowed(passage(), "The end stands overleaf.") == [BOXES[2]]


def test_a_sentence_in_the_middle_of_a_paragraph_is_marked_where_it_stands() -> None:
    for n in (0, 15, 29):
        [box] = narrowed(
            passage(), f"Sentence number {n} of this paragraph says nothing that the others would not say."
        )
        middle = BOXES[1].top + (n + 0.5) / 30 * (BOXES[1].bottom - BOXES[1].top)
        assert box.top <= middle <= box.bottom
        assert box.bottom - box.top < 80
        assert BOXES[1].top <= box.top
        assert box.bottom <= BOXES[1].bottom


def test_what_is_not_there_is_as_large_as_the_passage() -> None:
    assert narrowed(passage(), "Nowhere to be found.") == list(passage().boxes)
    plain = Passage("document_chunks", 1, UUID(int=1), "a.pdf", FIRST, boxes=BOXES[:1])
    assert narrowed(plain, FIRST) == [BOXES[0]]


def test_a_citation_carries_the_boxes_of_its_quotation() -> None:
    _, [found] = cite("The shop opens at nine [1].", [passage()])
    assert found["boxes"] == [vars(BOXES[0])]
