"""The samples are read, and questions about them answered with the fact, the file and the page."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deploy.ephemeral import Stack
from deploy.places import REPO

QUESTIONS = json.loads((Path(__file__).parent / "sample_questions.json").read_text())
ANSWERED = [row for row in QUESTIONS if row["file"]]
UNANSWERED = [row for row in QUESTIONS if not row["file"]]

ENOUGH = 0.75
"""Share of the questions that the composer without a model must answer with the fact."""


@pytest.fixture(scope="module")
def answers(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return the answer to each question, once all samples are searchable."""
    with ThreadPoolExecutor(4) as pool:
        samples = sorted((REPO / "docs" / "samples").iterdir())
        for response in pool.map(lambda path: stack.upload(path.name, path.read_bytes(), wait_s=300), samples):
            assert response.status_code == 200, response.text
        asked = [row["question"] for row in QUESTIONS]
        return dict(zip(asked, pool.map(lambda question: stack.ask(question, use_memory=False), asked), strict=True))


def test_the_right_document_is_found_first(answers: dict[str, dict[str, Any]]) -> None:
    wrong = [row["question"] for row in ANSWERED if answers[row["question"]]["sources"][0] != row["file"]]
    assert wrong == []


def test_answers_hold_the_fact(answers: dict[str, dict[str, Any]]) -> None:
    def holds(row: dict[str, Any]) -> bool:
        said = answers[row["question"]]["response"].lower()
        return any(fact.lower() in said for fact in row["expect_any"])

    missed = [(row["question"], answers[row["question"]]["response"]) for row in ANSWERED if not holds(row)]
    assert len(missed) <= (1 - ENOUGH) * len(ANSWERED), missed


def test_citations_name_file_and_page_and_quote_the_source(answers: dict[str, dict[str, Any]]) -> None:
    for row in ANSWERED:
        answer = answers[row["question"]]
        if not answer["citations"]:
            continue
        pages = {found["page"] for found in answer["citations"] if found["filename"] == row["file"]}
        assert row["page"] is None or row["page"] in pages, (row["question"], answer["citations"])
        assert all(found["quote"] for found in answer["citations"])


def test_what_the_documents_do_not_say_is_not_answered(answers: dict[str, dict[str, Any]]) -> None:
    for row in UNANSWERED:
        answer = answers[row["question"]]
        assert answer["response"].startswith("I don't know"), (row["question"], answer["response"])
        assert answer["citations"] == []
