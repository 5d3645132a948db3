"""A training pair whose question is asked answers word for word.

Asked is it where the question is the pair's own, or says the same in other filling words: as closely related by
its vector as questions are, asking for the same kind of thing, with the same content words in the same order, the
same numbers, negations and persons. What is similar and no more is left to the composer, which has the pair as one
passage of several: an answer to another question, given word for word, would be the worst of answers.
"""

from collections.abc import Sequence

from pipelines.ports.passages import Passage
from pipelines.turn.wording.questions import Question, read

SOURCE = "training_data"
MIN_SIMILARITY = 0.9
"""Calibrated. A question and its paraphrase are far above, by every model; this keeps out what shares words only."""


def verbatim(question: str, passages: Sequence[Passage]) -> tuple[str, int] | None:
    """Return the response of the pair that the question asks for, with its marker `[n]`, and n; None if there is none.

    A pair's prompt is its passage's only heading, its response the text.
    """
    asked = read(question)
    if not asked.words:
        return None
    pairs = [(n, one, read(one.heading_path[0])) for n, one in enumerate(passages, 1) if _is_pair(one)]
    same = [(n, one) for n, one, prompt in pairs if prompt.tokens == asked.tokens]
    alike = [(n, one) for n, one, prompt in pairs if one.similarity >= MIN_SIMILARITY and is_paraphrase(asked, prompt)]
    alike.sort(key=lambda found: -found[1].similarity)
    for number, passage in same + alike:
        return f"{passage.text} [{number}]", number
    return None


def is_paraphrase(one: Question, other: Question) -> bool:
    """Tell whether two questions differ in nothing but filling words."""
    return (
        one.asks == other.asks
        # Joined, as `wi-fi` is `WiFi`.
        and "".join(one.words) == "".join(other.words)
        and one.numbers == other.numbers
        and one.negations == other.negations
        and one.tense == other.tense
        and (one.modality == other.modality or one.asks == "how")
        # `Your opening hours` are those of whom is asked, as `the opening hours` are.
        and one.owners - {"you"} == other.owners - {"you"}
        and _agree(one.persons, other.persons)
        and _agree(one.placing, other.placing)
    )


def _agree(some: frozenset[str], others: frozenset[str]) -> bool:
    """Tell whether two questions say the same where both say something: "Can I pay cash" is "Can I pay in cash"."""
    return not some or not others or some == others


def _is_pair(passage: Passage) -> bool:
    return passage.source == SOURCE and bool(passage.heading_path)
