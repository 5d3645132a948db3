"""Entries are found as documents are, are none to who lists documents, and change without a gap."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from api.dialogue import turns
from api.door.auth import Caller
from deploy.ephemeral import wait_until
from schemas.tables.knowledge import Stage
from tests.integration.people import Person
from tests.integration.training.conftest import Desk
from workers import turn as turn_tasks

QA = "/api/training/qa"
PAIR = {
    "prompt": "Where is the gadget7?",
    "response": "On the shelf.\n\nAsk at the desk, 9 to 5.",
    "tags": ["shop", "x"],
}
TEXTS: dict[str, dict[str, str]] = {
    "qa": {"prompt": "Where is the gadget7?", "response": "On the shelf of the shop."},
    "notes": {"title": "Returns", "content": "# Rules\n\nGoods come back within 30 days.", "category": "policy"},
    "materials": {"title": "Handbook", "content": "The gadget9 weighs a ton. It is blue."},
}


def counts_are_exact(desk: Desk) -> bool:
    """Return whether what is counted of the tenant's chunks is what they are."""
    real = desk.rows(
        "SELECT l.lexeme, count(*) FROM document_chunks c, unnest(c.lexemes) l WHERE tenant_id = %s GROUP BY 1",
        desk.tenant_id,
    )
    kept = desk.rows("SELECT lexeme, chunks FROM term_frequencies WHERE tenant_id = %s AND chunks <> 0", desk.tenant_id)
    return sorted(real) == sorted(kept)


def test_a_pair_is_one_chunk_embedded_by_its_question(desk: Desk) -> None:
    made = desk.post(QA, **PAIR)
    assert (made["status"], made["searchable"]) == ("queued", False)
    desk.work()
    assert desk.embedded() == [PAIR["prompt"]]
    assert desk.chunks(made["id"]) == [(PAIR["response"], [PAIR["prompt"]], None, "model-a")]
    [(lexemes, source, name)] = desk.rows(
        "SELECT c.lexemes::text, d.source, d.filename FROM document_chunks c JOIN documents d USING (tenant_id, doc_id)"
        " WHERE doc_id = %s",
        made["id"],
    )
    assert "'gadget7'" in lexemes and "'shelf'" in lexemes
    assert (source, name) == ("training_data", PAIR["prompt"])
    now = desk.get(f"{QA}/{made['id']}")
    assert (now["status"], now["searchable"], now["prompt"], now["tags"]) == (
        "processed",
        True,
        *list(PAIR.values())[::2],
    )
    assert desk.get(made["job"])["result"]["chunks"] == 1


def test_a_long_answer_stays_one_chunk_word_for_word(desk: Desk) -> None:
    answer = "\n\n".join(f"{n}. Do the step {n} of it, and then wait for the light to turn green." for n in range(120))
    answer = answer[:8000].strip()
    made = desk.post(QA, prompt="How is it done?", response=answer)
    desk.work()
    assert [chunk[0] for chunk in desk.chunks(made["id"])] == [answer]


@pytest.mark.parametrize("kind", TEXTS)
def test_entries_are_no_documents_to_who_lists_them(desk: Desk, kind: str) -> None:
    before = desk.get("/api/tenant/usage")
    made = desk.post(f"/api/training/{kind}", **TEXTS[kind])
    desk.work()
    assert desk.get("/api/documents")["documents"] == []
    assert desk.get("/api/batches")["batches"] == []
    assert str(desk.get("/api/tenant/usage")["documents"]) == str(before["documents"])
    listed = desk.get(f"/api/training/{kind}")["entries"]
    assert [entry["id"] for entry in listed] == [made["id"]]
    desk.delete(f"/api/documents/{made['id']}", 404)
    [[chunk_id]] = desk.rows("SELECT chunk_id FROM document_chunks WHERE doc_id = %s", made["id"])
    desk.patch(f"/api/documents/{made['id']}/chunks/{chunk_id}", 404, text="Another text.")


@pytest.mark.parametrize("kind", ["notes", "materials"])
def test_notes_and_materials_are_read_as_what_they_are_written_in(desk: Desk, kind: str) -> None:
    made = desk.post(f"/api/training/{kind}", **TEXTS[kind])
    desk.work()
    [(text, headings, _, _)] = desk.chunks(made["id"])
    assert text in TEXTS[kind]["content"]
    assert headings == (["Rules"] if kind == "notes" else [])
    [embedded] = desk.embedded()
    assert embedded.startswith(TEXTS[kind]["title"])


def test_the_same_text_as_a_file_is_another_thing(desk: Desk) -> None:
    material = desk.post("/api/training/materials", **TEXTS["materials"])
    content = TEXTS["materials"]["content"]
    uploaded = desk.post("/api/knowledge/ingest", 202, text=content, title="Handbook")
    assert uploaded["job_id"] != material["id"]
    again = desk.post("/api/knowledge/ingest", 202, text=content, title="Handbook")
    assert again["job_id"] == uploaded["job_id"]


@pytest.mark.parametrize("kind", TEXTS)
def test_a_changed_entry_answers_as_before_until_the_change_is_searchable(desk: Desk, kind: str) -> None:
    made = desk.post(f"/api/training/{kind}", **TEXTS[kind])
    desk.work()
    before = desk.chunks(made["id"])
    text = "response" if kind == "qa" else "content"
    changed = desk.patch(f"/api/training/{kind}/{made['id']}", **{text: "Now it is at the harbour."})
    assert (changed["status"], changed["searchable"], changed[text]) == ("queued", True, "Now it is at the harbour.")
    desk.admit()
    for stage in (Stage.EXTRACT, Stage.CHUNK, Stage.EMBED):
        assert desk.chunks(made["id"]) == before
        desk.step(stage)
    assert desk.chunks(made["id"]) == before
    desk.work()
    assert [chunk[0] for chunk in desk.chunks(made["id"])] == ["Now it is at the harbour."]
    assert counts_are_exact(desk)


@pytest.mark.parametrize("done", range(5))
def test_a_change_while_it_is_in_work_is_what_answers_in_the_end(desk: Desk, done: int) -> None:
    """After each step of the first version; what is left of that is refused."""
    made = desk.post(QA, **PAIR)
    desk.admit()
    for stage in (Stage.EXTRACT, Stage.CHUNK, Stage.EMBED, Stage.STORE)[:done]:
        desk.step(stage)
    desk.patch(f"{QA}/{made['id']}", response="At the harbour.")
    desk.patch(f"{QA}/{made['id']}", prompt="Where is it now?")
    # Its workers come back late.
    desk.step(Stage.EXTRACT, Stage.CHUNK, Stage.EMBED, Stage.STORE)
    desk.work()
    assert desk.chunks(made["id"]) == [("At the harbour.", ["Where is it now?"], None, "model-a")]
    assert desk.get(f"{QA}/{made['id']}")["status"] == "processed"
    assert counts_are_exact(desk)


def test_a_new_answer_to_the_same_question_costs_no_embedding(desk: Desk) -> None:
    made = desk.post(QA, **PAIR)
    desk.work()
    desk.embedded()
    desk.patch(f"{QA}/{made['id']}", response="At the harbour.")
    desk.work()
    assert desk.embedded() == []
    assert desk.chunks(made["id"])[0][0] == "At the harbour."


def test_a_reindex_makes_entries_from_their_rows(desk: Desk) -> None:
    """One whose change failed to be embedded does not go back to what was read of it before."""
    made = desk.post(QA, **PAIR)
    desk.work()
    desk.patch(f"{QA}/{made['id']}", response="At the harbour.")
    desk.rows("UPDATE documents SET processing_status = 'failed' WHERE doc_id = %s RETURNING 1", made["id"])
    desk.post("/api/documents/reindex", 202, all=True)
    desk.work()
    assert desk.chunks(made["id"])[0][0] == "At the harbour."


def test_a_deleted_entry_leaves_nothing(desk: Desk) -> None:
    kept = desk.post(QA, **{**PAIR, "prompt": "Another?"})
    made = desk.post(QA, **PAIR)
    desk.work()
    [(version,)] = desk.rows("SELECT knowledge_version FROM tenants WHERE tenant_id = %s", desk.tenant_id)
    receipt = desk.delete(f"{QA}/{made['id']}")
    assert (receipt["id"], receipt["chunks_deleted"], receipt["name"]) == (made["id"], 1, PAIR["prompt"])
    for table, column in (("training_data", "id"), ("documents", "doc_id"), ("document_chunks", "doc_id")):
        assert desk.rows(f"SELECT {column} FROM {table} WHERE {column} = %s", made["id"]) == []
    assert counts_are_exact(desk)
    assert desk.rows("SELECT knowledge_version FROM tenants WHERE tenant_id = %s", desk.tenant_id) > [(version,)]
    desk.get(f"{QA}/{made['id']}", 404)
    desk.delete(f"{QA}/{made['id']}", 404)
    assert desk.get(f"{QA}/{kept['id']}")["searchable"]


def test_of_a_name_there_is_one_for_each_assistant(desk: Desk) -> None:
    made = desk.post(QA, **PAIR)
    problem = desk.post(QA, 409, **{**PAIR, "prompt": "  where is THE  gadget7? "})
    assert made["id"] in problem["detail"]
    other = desk.post(QA, **{**PAIR, "assistant_key": "default-assistant"})
    desk.patch(f"{QA}/{other['id']}", 409, assistant_key=None)
    assert desk.patch(f"{QA}/{other['id']}", prompt="Where else?", assistant_key=None)["assistant_key"] is None
    desk.post(QA, 404, **{**PAIR, "assistant_key": "nobody"})
    desk.work()
    assert {row[2] for row in desk.chunks(other["id"])} == {None}


def test_another_kind_does_not_have_it(desk: Desk) -> None:
    made = desk.post(QA, **PAIR)
    desk.get(f"/api/training/notes/{made['id']}", 404)
    desk.patch(f"/api/training/notes/{made['id']}", 404, title="A")
    desk.delete(f"/api/training/materials/{made['id']}", 404)


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "?!"},
        {"response": " "},
        {"prompt": "a" * 2001},
        {"tags": ["a,b"]},
        {"tags": [str(n) for n in range(33)]},
        {"tags": "a"},
    ],
)
def test_what_says_nothing_or_too_much_is_refused(desk: Desk, fields: dict[str, Any]) -> None:
    desk.post(QA, 422, **{**PAIR, **fields})
    assert desk.get(QA)["entries"] == []


def test_listings_are_searched_and_paged(desk: Desk) -> None:
    made = [
        desk.post(QA, prompt=f"What is {n}?", response=f"A_{n} % thing", tags=[f"t{n % 2}"])["id"] for n in range(7)
    ]
    first = desk.get(f"{QA}?limit=4")
    rest = desk.get(f"{QA}?limit=4&after={first['next']}")
    assert [entry["id"] for entry in first["entries"] + rest["entries"]] == made[::-1]
    assert rest["next"] is None
    assert [entry["id"] for entry in desk.get(f"{QA}?tag=t1")["entries"]] == made[1::2][::-1]
    assert [entry["id"] for entry in desk.get(f"{QA}?q=a_3")["entries"]] == [made[3]]
    assert len(desk.get(f"{QA}?q=%25 thing")["entries"]) == 7
    assert desk.get(f"{QA}?q=_%25")["entries"] == []
    assert desk.get(f"{QA}?assistant_key=default-assistant")["entries"] == []
    note = desk.post("/api/training/notes", **TEXTS["notes"])
    assert [entry["id"] for entry in desk.get("/api/training/notes?category=policy")["entries"]] == [note["id"]]
    assert desk.get("/api/training/notes?category=other")["entries"] == []


def test_entries_count_as_storage(desk: Desk) -> None:
    desk.post(QA, **PAIR)
    assert desk.get("/api/tenant/usage")["storage_bytes"]["used"] == len(PAIR["prompt"] + PAIR["response"])
    desk.rows("UPDATE tenants SET max_storage_gb = 0 WHERE tenant_id = %s RETURNING 1", desk.tenant_id)
    problem = desk.post(QA, 429, **{**PAIR, "prompt": "Another?"})
    assert problem["code"] == "quota_exceeded"
    assert len(desk.get(QA)["entries"]) == 1


def test_who_may_write_what(desk: Desk, joined: Callable[..., Person]) -> None:
    made = desk.post(QA, **PAIR)
    plain, trainer = joined(desk.person), joined(desk.person, can_modify_ai_settings=True)
    assert plain.get(QA).status_code == 200
    assert plain.post(QA, json={**PAIR, "prompt": "Mine?"}).status_code == 403
    assert plain.post("/api/training/materials", json=TEXTS["materials"]).status_code == 201
    assert trainer.post(QA, json={**PAIR, "prompt": "Mine?"}).status_code == 201
    assert trainer.request("PATCH", f"{QA}/{made['id']}", json={"response": "No."}).status_code == 403
    assert trainer.request("DELETE", f"{QA}/{made['id']}").status_code == 403
    done = trainer.post(f"{QA}/import", json={"rows": [{**PAIR, "response": "No."}]})
    assert (done.status_code, done.get_json()["errors"][0]["code"]) == (200, "forbidden")


def test_events_tell_what_the_document_stands_for(desk: Desk) -> None:
    url = {"url": f"https://93.184.216.34/{uuid4()}", "events": ["document.*"]}
    desk.post("/api/webhooks", **url)
    made = desk.post(QA, **PAIR)
    desk.work()
    desk.delete(f"{QA}/{made['id']}")
    told = desk.rows(
        "SELECT event_type, payload->'data'->>'source' FROM webhook_deliveries WHERE tenant_id = %s", desk.tenant_id
    )
    assert {("document.accepted", "training_data"), ("document.processed", "training_data")} <= set(told)
    assert ("document.deleted", "training_data") in told


def test_changes_of_different_fields_at_once_are_all_kept(desk: Desk) -> None:
    made = desk.post(QA, **PAIR)
    fields = [{"prompt": "What now?"}, {"response": "This."}, {"tags": ["new"]}, {"assistant_key": "default-assistant"}]

    def change(given: dict[str, Any]) -> int:
        with desk.person.client.application.test_client() as client:
            path = f"{QA}/{made['id']}"
            return client.patch(path, json=given, headers=desk.person.headers).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(change, fields)) == [200] * 4
    now = desk.get(f"{QA}/{made['id']}")
    assert {name: now[name] for given in fields for name in given} == {k: v for f in fields for k, v in f.items()}
    desk.work()
    assert desk.chunks(made["id"]) == [("This.", ["What now?"], "default-assistant", "model-a")]


def test_two_who_add_the_same_pair_at_once_add_one(desk: Desk) -> None:
    def add(_: int) -> int:
        with desk.person.client.application.test_client() as client:
            return client.post(QA, json=PAIR, headers=desk.person.headers).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(4))) == [201, 409, 409, 409]
    assert len(desk.get(QA)["entries"]) == 1


def test_who_waits_is_told_when_it_is_searchable(desk: Desk) -> None:
    def add() -> tuple[int, Any]:
        with desk.person.client.application.test_client() as client:
            response = client.post(QA, json=PAIR, headers={**desk.person.headers, "Prefer": "wait=60"})
            return response.status_code, response.get_json()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(add)
        there = "SELECT 1 FROM documents WHERE tenant_id = %s"
        wait_until(lambda: bool(desk.rows(there, desk.tenant_id)), 150, "the entry is accepted")
        desk.work()
        status, made = waiting.result(200)
    assert (status, made["status"], made["searchable"]) == (201, "processed", True)


def test_an_answer_names_the_sources_that_it_was_sought_in(desk: Desk) -> None:
    desk.post(QA, **PAIR)
    desk.post("/api/knowledge/ingest", 202, text="The gadget7 was made in the year 1999.", title="History")
    desk.work()
    asking = Caller(desk.tenant_id, "ada", "admin")
    conversation = turns.open_conversation(asking, "default-assistant")
    turn_id = turns.start_turn(asking, conversation, assistant_key="default-assistant", question=PAIR["prompt"])
    turn_tasks.retrieve(str(desk.tenant_id), str(turn_id))
    turn_tasks.generate(str(desk.tenant_id), str(turn_id))
    answer = desk.get(f"/api/jobs/{turn_id}")["result"]
    assert answer["sources_used"] == ["document_chunks", "training_data"]
    assert set(answer["sources"]) == {"History.md", PAIR["prompt"]}
