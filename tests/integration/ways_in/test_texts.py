"""Raw text is a document as any upload is: the same dedupe, the same answers, the same limits."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.people import code
from tests.integration.ways_in.conftest import Sender


def ingest(sender: Sender, path: str = "/api/knowledge/ingest", **body: Any) -> Any:
    return sender.post(path, 202, **body)


@pytest.mark.parametrize("path", ["/api/knowledge/ingest", "/knowledge/ingest"])
def test_a_text_is_a_document_called_by_its_title(sender: Sender, path: str) -> None:
    about = {"text": f"We open at nine. {uuid4()}", "title": "Opening hours", "metadata": {"team": "desk"}}
    job = ingest(sender, path, **about)
    view = sender.get(f"/api/documents/{job['job_id']}")
    assert (view["filename"], view["file_type"], view["title"]) == ("Opening hours.md", "md", "Opening hours")
    [(kept,)] = sender.rows("SELECT metadata FROM documents WHERE doc_id = %s", job["job_id"])
    assert kept == {"team": "desk", "title": "Opening hours"}


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, "text.md"),
        ({"filename": "hours.txt"}, "hours.txt"),
        ({"filename": "hours.pdf"}, "hours.pdf.md"),
        ({"filename": "../../hours"}, "hours.md"),
        ({"title": "a/b \u202ecod.exe"}, "a-b cod.exe.md"),
    ],
)
def test_a_text_has_a_name_that_says_so(sender: Sender, fields: dict[str, str], wanted: str) -> None:
    answer = ingest(sender, text=f"Words {uuid4()}", **fields)
    assert answer["document"]["filename"] == wanted


def test_the_same_text_is_one_document_however_it_comes(sender: Sender) -> None:
    content = f"Words {uuid4()}"
    first = ingest(sender, text=content, title="One")
    second = ingest(sender, text=content, title="Two")
    third = sender.send([("three.md", content.encode())], "file").get_json()
    assert first["job_id"] == second["job_id"] == third["job_id"]


def test_a_thousand_texts_are_one_batch(sender: Sender) -> None:
    texts = [{"text": f"Words {uuid4()}", "title": f"Note {number}"} for number in range(1000)]
    texts[7]["text"] = texts[8]["text"]
    answer = ingest(sender, documents=texts)
    assert (answer["batch"]["total"], len(answer["documents"])) == (1000, 100)
    assert sender.totals(answer["job_id"]) == {"total": 1000, "queued": 1000}
    [(count,)] = sender.rows("SELECT count(*) FROM documents WHERE tenant_id = %s", sender.tenant_id)
    assert count == 999


def test_a_list_of_one_is_a_batch_too(sender: Sender) -> None:
    answer = ingest(sender, documents=[{"text": f"Words {uuid4()}"}])
    assert sender.job(answer["job_id"])["kind"] == "batch"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": None},
        {"documents": []},
        {"documents": [{"title": "no text"}]},
        {"text": "a", "documents": [{"text": "b"}]},
        {"documents": [{"text": "a"}] * 1001},
        {"text": "a", "priority": 11},
        {"text": "a", "metadata": {"deep": "x" * 40_000}},
    ],
)
def test_a_body_that_makes_no_sense_is_refused(sender: Sender, body: dict[str, Any]) -> None:
    assert code(sender.person.post("/api/knowledge/ingest", json=body)) == (422, "invalid_request")


def test_an_unknown_assistant_is_refused(sender: Sender) -> None:
    body = {"text": "a", "assistant_key": "nobody"}
    assert code(sender.person.post("/api/knowledge/ingest", json=body)) == (404, "unknown_assistant")


def test_half_a_surrogate_pair_and_nul_harm_nothing(sender: Sender) -> None:
    response = sender.person.post(
        "/api/knowledge/ingest", data=b'{"text": "a \\ud800 b"}', content_type="application/json"
    )
    assert response.status_code in (202, 422)
    response = sender.person.post("/api/knowledge/ingest", json={"text": "a \0 b", "title": "x\0y"})
    assert code(response) == (422, "invalid_request")
