"""What an answer is grounded in, from the question to the passages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from schemas.errors.callers import BudgetExceeded
from schemas.tables.dialogue import Turn
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd, Reply
from workers.dialogue import finding
from workers.spending import budget

Stored = Callable[..., UUID]
Talk = Callable[..., Turn]


def texts(turn: Turn) -> list[str]:
    return [passage.text for passage in finding.ground(turn).passages]


@pytest.mark.parametrize("status", [503, 429, 401, 400])
def test_an_embedder_that_is_away_or_refuses_does_not_fail_the_question(
    far: FarEnd, replies: dict[str, Reply], stored: Stored, talk: Talk, status: int
) -> None:
    stored("a.txt", ["The harbour bridge opens at noon.", "Nothing else is known."])
    question = "When does the harbour bridge open?"
    # Asked in other words: the vector of a question that was asked before is remembered.
    sure = finding.ground(talk("When does the bridge of the harbour open?")).confidence
    replies["/embeddings"] = fakes.failure(status)
    finding._away.clear()
    found = finding.ground(talk(question))
    assert found.passages[0].text == "The harbour bridge opens at noon."
    assert 0 < found.confidence <= 0.75
    assert found.confidence < max(sure, 0.76)
    assert len(finding._away) == 1, "it is let alone for a moment"


def test_an_embedder_that_is_away_is_not_asked_by_each_question(
    far: FarEnd, replies: dict[str, Reply], stored: Stored, talk: Talk
) -> None:
    stored("a.txt", ["The harbour bridge opens at noon."])
    replies["/embeddings"] = fakes.failure(503)
    for _ in range(3):
        finding.ground(talk("When does the harbour bridge open?"))
    assert len(far.asked) == 1


def test_an_embedder_whose_vectors_have_another_width_does_not_fail_the_question(
    far: FarEnd, replies: dict[str, Reply], stored: Stored, talk: Talk
) -> None:
    """A server of one's own was given another model under the same name."""
    stored("a.txt", ["The harbour bridge opens at noon."])
    replies["/embeddings"] = fakes.embeddings(lambda _: [1.0, 0.0, 0.0])
    found = finding.ground(talk("When does the harbour bridge open?"))
    assert [passage.text for passage in found.passages] == ["The harbour bridge opens at noon."]
    assert len(finding._away) == 1, "it is let alone for a moment"


def test_what_shares_few_words_is_not_answered_from_without_vectors(
    far: FarEnd, replies: dict[str, Reply], stored: Stored, talk: Talk
) -> None:
    stored("a.txt", ["The harbour bridge opens at noon."])
    replies["/embeddings"] = fakes.failure(503)
    assert finding.ground(talk("Who painted the harbour and the mountains in winter?")).confidence < 0.6


def test_a_budget_that_is_spent_is_still_said(
    far: FarEnd, stored: Stored, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spent(*_: object) -> None:
        raise BudgetExceeded

    stored("a.txt", ["The harbour bridge opens at noon."])
    monkeypatch.setattr(budget, "question", spent)
    with pytest.raises(BudgetExceeded):
        finding.ground(talk("When does it open?"))


def test_a_question_searches_what_it_is_limited_to(far: FarEnd, stored: Stored, talk: Talk) -> None:
    wanted = stored("a.md", ["The gadget1 costs ten euros."], metadata={"tags": ["prices", "public"]})
    stored("b.txt", ["The gadget1 costs twelve euros."], metadata={"tags": ["drafts"]})
    ask = "What does gadget1 cost?"
    one = ["The gadget1 costs ten euros."]
    assert len(texts(talk(ask))) == 2
    assert texts(talk(ask, filters={"doc_ids": [str(wanted)]})) == one
    assert texts(talk(ask, filters={"tags": ["public", "other"]})) == one
    assert texts(talk(ask, filters={"file_types": ["md"]})) == one
    assert texts(talk(ask, filters={"doc_ids": [str(uuid4())]})) == []
    assert texts(talk(ask, filters={"sources": ["logic_notes"]})) == []
    future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert texts(talk(ask, filters={"created_after": future})) == []
    assert len(texts(talk(ask, filters={"created_before": future}))) == 2


def test_a_question_and_its_assistant_may_limit_the_tags_both(
    far: FarEnd, stored: Stored, talk: Talk, tenant: UUID, admin: psycopg.Connection
) -> None:
    stored("a.md", ["The gadget1 costs ten euros."], metadata={"tags": ["prices", "public"]})
    stored("b.md", ["The gadget1 costs twelve euros."], metadata={"tags": ["prices"]})
    stored("c.md", ["The gadget1 costs nine euros."], metadata={"tags": ["public"]})

    admin.execute('UPDATE agents SET knowledge_filter = \'{"tags": ["public"]}\' WHERE tenant_id = %s', (tenant,))
    assert texts(talk("What does gadget1 cost?", filters={"tags": ["prices"]})) == ["The gadget1 costs ten euros."]
    assert texts(talk("What does gadget1 cost?", filters={"tags": ["secret"]})) == []


def test_the_name_of_a_file_finds_what_it_says_nowhere_else(far: FarEnd, stored: Stored, talk: Talk) -> None:
    stored("northwind-report-2021-q3.pdf", ["Net sales were 12 million.", "We employed 400 people."])
    stored("northwind-report-2022-q1.pdf", ["Net sales were 13 million.", "We employed 410 people."])
    stored("northwind-report-2021-q1.pdf", ["Net sales were 14 million.", "We employed 420 people."])
    for asked, expected in (("2021 q3", "12"), ("2022 q1", "13"), ("2021 q1", "14")):
        assert texts(talk(f"What were net sales in {asked}?"))[0] == f"Net sales were {expected} million."


def test_a_first_page_leads_to_the_pages_behind_it(far: FarEnd, stored: Stored, talk: Talk) -> None:
    for number, quarter in enumerate(("first", "second", "third")):
        cover = f"Report for the {quarter} quarter of 2023 of Northwind."
        stored(f"r{number:04}.pdf", [(cover, ("Cover",)), (f"Net sales were {number}1 million.", ("Sales",))])
    for asked, expected in (("the third quarter", "21"), ("Q2", "11"), ("the first quarter", "01")):
        found = [text for text in texts(talk(f"What were net sales in {asked}?")) if text.startswith("Net sales")]
        assert found[0] == f"Net sales were {expected} million."


def test_the_parts_of_a_long_question_are_all_found(far: FarEnd, stored: Stored, talk: Talk) -> None:
    for number in range(12):
        stored(
            f"filler{number}.txt", [f"A bicycle booking note number {number} about bicycles and weeks and bookings."]
        )
    stored("a.txt", ["Helmets cost five euros a day."])
    stored("b.txt", ["Our office in Ghent is near the canal."])
    question = (
        "I want to make a bicycle booking for a week of bicycles in June, how much do helmets cost a day,"
        " and where is your office in Ghent?"
    )
    found = texts(talk(question))
    assert "Helmets cost five euros a day." in found
    assert "Our office in Ghent is near the canal." in found


def test_the_best_passages_bring_the_text_next_to_them(far: FarEnd, stored: Stored, talk: Talk) -> None:
    stored(
        "rules.txt",
        [
            ("Keys are handed out at noon.", ("Rules",)),
            ("The deposit for gadget7 is due on Friday.", ("Rules",)),
            ("It is returned in cash.", ("Rules", "Money")),
            ("Cats are welcome.", ("Animals",)),
        ],
    )
    best = finding.ground(talk("When is the deposit for gadget7 due?")).passages[0]
    assert best.text == "The deposit for gadget7 is due on Friday."
    assert best.before in ("", "Keys are handed out at noon.")
    assert "Cats" not in best.after


def test_where_nothing_is_stored_no_model_is_asked(far: FarEnd, stored: Stored, talk: Talk) -> None:
    found = finding.ground(talk("What does gadget1 cost?"))
    assert (list(found.passages), found.confidence, far.asked) == ([], 0.0, [])

    stored("a.txt", ["The harbour bridge opens at noon."])
    assert finding.ground(talk("When does the harbour bridge open?")).passages
    assert len(far.asked) == 1
