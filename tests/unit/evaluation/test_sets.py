"""Sets of questions are read from every form in which people have them, and refused with a sentence otherwise."""

import json
from uuid import uuid4

import pytest

from pipelines.evaluation import sets
from pipelines.evaluation.sets import Question
from schemas.errors.requests import InvalidRequest


def test_csv_with_and_without_answers() -> None:
    data = 'question,answer,source,page\n"How much, now?",900 euros,prices.pdf,3\nWho is the king?,,,\n'.encode(
        "utf-8-sig"
    )
    assert sets.read(data) == [
        Question("How much, now?", ("900 euros",), {"filename": "prices.pdf", "page": 3}),
        Question("Who is the king?"),
    ]


def test_json_rows_and_sources() -> None:
    doc_id = str(uuid4())
    rows = [
        {"question": "a?", "answer": "b", "source": {"filename": "x.pdf", "page": "3"}},
        {"question": "c?", "answers": ["d", "d", " "], "document_id": doc_id},
        {"question": "e?", "answer": None, "source": None},
        {"question": "f?\x00", "answer": "g\ud800", "source": "y.txt"},
    ]
    expected = [
        Question("a?", ("b",), {"filename": "x.pdf", "page": 3}),
        Question("c?", ("d",), {"document_id": doc_id}),
        Question("e?"),
        Question("f?", ("g?",), {"filename": "y.txt"}),
    ]
    assert sets.read(json.dumps(rows).encode()) == expected
    assert sets.read(json.dumps({"questions": rows}).encode()) == expected


def test_squad() -> None:
    qas = [
        {"question": "When?", "answers": [{"text": "1889", "answer_start": 3}, {"text": "in 1889"}]},
        {"question": "Why?", "is_impossible": True, "answers": []},
    ]
    found = sets.read(
        json.dumps({"data": [{"title": "T", "paragraphs": [{"context": "In 1889.", "qas": qas}]}]}).encode()
    )
    assert found == [Question("When?", ("1889", "in 1889"), {"text": "In 1889."}), Question("Why?")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[" * 5000,
        b"{}",
        b"[]",
        b"[1]",
        b'[{"question": 3}]',
        b'[{"question": " "}]',
        b'[{"question": "a", "answer": 4}]',
        b'[{"question": "a", "source": 4}]',
        b'[{"question": "a", "source": {"page": "x"}}]',
        b'[{"question": "a", "source": {"document_id": "x"}}]',
        b'{"data": [1]}',
        b'{"data": [{"paragraphs": [{"qas": [{"answers": []}]}]}]}',
        b"answer\n3\n",
        b'question\n"unclosed',
        b"question\n" + b"why?\n" * 5001,
        json.dumps([{"question": "x" * 5000}]).encode(),
        json.dumps([{"question": "x", "answers": [str(n) for n in range(21)]}]).encode(),
    ],
)
def test_what_is_no_set_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        sets.read(data)
