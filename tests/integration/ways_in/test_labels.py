"""A document's title and tags can be changed at any time, and documents are found by their tags."""

from collections.abc import Callable
from typing import Any

from tests.integration.people import Person, code
from tests.integration.ways_in.conftest import Sender, words


def alone(sender: Sender) -> str:
    return str(sender.send(words(1), "file").get_json()["job_id"])


def change(sender: Sender, doc_id: str, **body: Any) -> Any:
    response = sender.person.request("PATCH", f"/api/documents/{doc_id}", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()


def listed(sender: Sender, tag: str) -> list[str]:
    return [found["id"] for found in sender.get(f"/api/documents?tag={tag}")["documents"]]


def version(sender: Sender) -> Any:
    [[found]] = sender.rows("SELECT knowledge_version FROM tenants WHERE tenant_id = %s", sender.tenant_id)
    return found


def test_documents_are_listed_by_their_tags(sender: Sender) -> None:
    first, second, third = (alone(sender) for _ in range(3))
    assert change(sender, first, tags=["hr", " hr ", "Ärzte"])["tags"] == ["hr", "Ärzte"]
    change(sender, second, tags=["hr"])
    assert listed(sender, "hr") == [second, first]
    assert listed(sender, "Ärzte") == [first]
    assert listed(sender, "h") == []
    assert sender.get("/api/documents/tags")["tags"] == [
        {"tag": "hr", "documents": 2},
        {"tag": "Ärzte", "documents": 1},
    ]
    assert sender.get(f"/api/documents/{third}")["tags"] == []
    change(sender, first, tags=[])
    assert listed(sender, "hr") == [second]


def test_a_changed_document_ends_the_answers_from_before(sender: Sender) -> None:
    doc_id = alone(sender)
    before = version(sender)
    assert change(sender, doc_id, title="The handbook")["title"] == "The handbook"
    assert version(sender) == before + 1
    change(sender, doc_id, title="The handbook")
    assert version(sender) == before + 1
    assert sender.get(f"/api/documents/{doc_id}")["title"] == "The handbook"
    [entry] = [one for one in sender.get("/api/tenant/audit")["entries"] if one["action"] == "document.changed"][1:]
    assert entry["after"] == {"title": "The handbook", "tags": []}


def test_another_organisation_changes_nothing_and_sees_no_tags(
    sender: Sender, new_sender: Callable[[], Sender]
) -> None:
    doc_id, other = alone(sender), new_sender().person
    change(sender, doc_id, tags=["secret"])
    assert code(other.request("PATCH", f"/api/documents/{doc_id}", json={"tags": []})) == (404, "not_found")
    assert other.get("/api/documents/tags").get_json() == {"tags": []}
    refused: Person = sender.person
    assert code(refused.request("PATCH", f"/api/documents/{doc_id}", json={"tags": ["a,b"]}))[0] == 422
