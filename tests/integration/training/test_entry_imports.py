"""Many entries at once: each row is judged by itself, and what is exported comes back the same."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from pipelines.training.reading import MAX_ROWS
from tests.integration.training.conftest import Desk

QA = "/api/training/qa"


def pairs(count: int) -> list[dict[str, Any]]:
    return [{"prompt": f"What is {n}?", "response": f"It is {n}."} for n in range(count)]


def counts(answer: dict[str, Any]) -> tuple[int, ...]:
    return tuple(answer[name] for name in ("created", "updated", "unchanged", "refused"))


CSV = 'Question;Antwort;Answer;Tags\nWas kostet das Müsli?;x;3,50 €;Preise, Müsli\n"Wo;\nwo?";;Da.;\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_csv_is_read_whatever_parts_it_and_however_it_is_written(desk: Desk, encoding: str, separator: str) -> None:
    text = CSV.replace('"Wo;', '"Wo\x00').replace(";", separator).replace('"Wo\x00', '"Wo;')
    answer = desk.bring("qa", text.encode(encoding))
    assert counts(answer) == (2, 0, 0, 0)
    found = {entry["prompt"]: entry for entry in desk.get(QA)["entries"]}
    assert found["Was kostet das Müsli?"]["response"] == "3,50 €"
    assert found["Was kostet das Müsli?"]["tags"] == ["Preise", "Müsli"]
    assert found["Wo;\nwo?"]["response"] == "Da."


FORMS: dict[str, Callable[[Any], str]] = {
    "list": json.dumps,
    "object": lambda rows: json.dumps({"rows": rows}),
    "lines": lambda rows: "\n".join(map(json.dumps, rows)) + "\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_json_is_a_list_an_object_or_lines(desk: Desk, form: str) -> None:
    rows = [{"question": "Why?", "Answer": "So.", "tags": "a; b"}, {"prompt": "How?", "response": "Thus.", "x": [1]}]
    assert counts(desk.bring("qa", FORMS[form](rows))) == (2, 0, 0, 0)
    assert {entry["prompt"]: entry["tags"] for entry in desk.get(QA)["entries"]} == {"Why?": ["a", "b"], "How?": []}


def test_an_import_is_one_job_and_one_request_to_the_embedder(desk: Desk) -> None:
    answer = desk.post(f"{QA}/import", 202, rows=pairs(90))
    assert counts(answer) == (90, 0, 0, 0)
    desk.work()
    assert len(desk.embedders.asked) == 1
    assert desk.get("/api/batches")["batches"] == []
    job = desk.get(answer["job"])
    assert (job["kind"], job["finished"], job["result"]["totals"]["processed"]) == ("batch", True, 90)
    assert len(desk.rows("SELECT 1 FROM document_chunks WHERE tenant_id = %s", desk.tenant_id)) == 90


def test_refused_rows_are_told_by_their_numbers_and_hinder_no_others(desk: Desk) -> None:
    text = "\n".join(
        [
            "id,prompt,response,assistant_key",
            ",Good?,Yes.,",
            ",,No question.,",
            "",
            "not-an-id,Bad?,Yes.,",
            ",Bad assistant?,Yes.,nobody",
            ",good?,The same again.,",
            ",Too many?,Yes.,,what,else",
            ",Fine?,Yes.,default-assistant",
        ]
    )
    answer = desk.bring("qa", text)
    assert counts(answer) == (2, 0, 0, 5)
    assert [(error["row"], error["field"], error["code"]) for error in answer["errors"]] == [
        (3, "prompt", "invalid_request"),
        (5, "id", "invalid_request"),
        (6, "assistant_key", "unknown_assistant"),
        (7, None, "conflict"),
        (8, None, "invalid_request"),
    ]


def test_a_dry_run_says_the_same_and_does_nothing(desk: Desk) -> None:
    desk.post(QA, prompt="What is 1?", response="It is 1.")
    rows = [*pairs(3), {"prompt": "", "response": ""}]
    said = desk.post(f"{QA}/import", 200, rows=rows, dry_run=True)
    assert (counts(said), said["job"], len(desk.get(QA)["entries"])) == ((2, 0, 1, 1), None, 1)
    done = desk.post(f"{QA}/import", 202, rows=rows)
    assert (counts(done), done["errors"]) == (counts(said), said["errors"])


def test_rows_change_what_has_their_id_or_their_name(desk: Desk) -> None:
    desk.post(f"{QA}/import", 202, rows=pairs(3))
    desk.work()
    found = {entry["prompt"]: entry["id"] for entry in desk.get(QA)["entries"]}
    rows = [
        {"id": found["What is 0?"], "prompt": "What is zero?", "response": "Nothing."},
        {"prompt": "what is 1?", "response": "One."},
        {"prompt": "What is 2?", "response": "It is 2."},
        {"id": str(uuid4()), "prompt": "What is 3?", "response": "It is 3."},
        {"id": str(uuid4()), "prompt": "What is 2?", "response": "Another's name."},
    ]
    desk.embedded()
    assert counts(desk.post(f"{QA}/import", 202, rows=rows)) == (1, 2, 1, 1)
    desk.work()
    # What is only answered otherwise is not embedded again; a question in other letters is.
    assert desk.embedded() == ["What is 3?", "What is zero?", "what is 1?"]
    now = {entry["id"]: (entry["prompt"], entry["response"]) for entry in desk.get(QA)["entries"]}
    assert now[found["What is 0?"]] == ("What is zero?", "Nothing.")
    assert now[found["What is 1?"]] == ("what is 1?", "One.")
    assert now[rows[3]["id"]] == ("What is 3?", "It is 3.")
    assert counts(desk.post(f"{QA}/import", 200, rows=rows[:4])) == (0, 0, 4, 0)


def test_the_id_of_a_document_is_no_entrys(desk: Desk) -> None:
    uploaded = desk.post("/api/knowledge/ingest", 202, text="Words.")["job_id"]
    answer = desk.post(f"{QA}/import", 200, rows=[{"id": uploaded, "prompt": "Why?", "response": "So."}])
    assert (counts(answer), answer["errors"][0]["code"]) == ((0, 0, 0, 1), "conflict")


NASTY = [
    "=cmd|' /C calc'!A0",
    "+1 800 555",
    "-5 °C",
    "@SUM(A1)",
    "'=quoted",
    "''+twice",
    "' apostrophe",
    'He said "no", then; left\tat | noon',
    "two\nlines\n\n\nand four",
    "\n".join(f"line {n}" for n in range(400)),
    "Ünïcödé 🙂 \u202etxt 한국어",
    "1,000.00",
    "null",
    "[1, 2]",
]


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("kind", ["qa", "notes", "materials"])
def test_what_is_exported_comes_back_the_same(new_desk: Callable[[], Desk], form: str, kind: str) -> None:
    here, there = new_desk(), new_desk()
    named = {"qa": "prompt", "notes": "title", "materials": "filename"}[kind]
    text = "response" if kind == "qa" else "content"
    for number, nasty in enumerate(NASTY):
        name = f"{nasty[:200]} {number}"
        body = {named: name, text: nasty, "tags": ["=1+1", f"t {number}"]}
        here.post(f"/api/training/{kind}", **body, **({"category": "-x"} if kind == "notes" else {}))
    if kind == "notes":
        here.post("/api/training/notes", title="Of one", content="Only.", assistant_key="default-assistant")

    def said(desk: Desk) -> dict[str, dict[str, Any]]:
        listed = desk.get(f"/api/training/{kind}?limit=200")["entries"]
        found = [desk.get(f"/api/training/{kind}/{entry['id']}") for entry in listed]
        left_out = {"created_at", "updated_at", "created_by", "job", "events"}
        return {entry["id"]: {k: v for k, v in entry.items() if k not in left_out} for entry in found}

    exported = here.export(kind, form)
    assert counts(there.bring(kind, exported))[1:] == (0, 0, 0)
    assert said(there) == said(here)
    assert counts(here.bring(kind, exported, 200))[:2] == (0, 0)
    if form == "csv":
        for row in csv.reader(io.StringIO(exported.decode("utf-8-sig"), newline="")):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row), row


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"prompt\nWhy?\n",
        b"name,value\nWhy?,So.\n",
        b"prompt,response\n",
        b"[1, 2",
        b"[" * 100_000,
        b"prompt,response\n" + b"Why?,So.\n" * (MAX_ROWS + 1),
    ],
)
def test_a_file_that_brings_no_rows_or_too_many_is_refused(desk: Desk, content: bytes) -> None:
    assert desk.bring("qa", content, 422)["code"] == "invalid_request"


@pytest.mark.parametrize("content", [b"{}", b'[[], 1, null, "a"]', b'{"prompt": NaN}\n{"a": 1}', b"\x00\xff" * 50])
def test_rows_that_are_none_are_refused_one_by_one(desk: Desk, content: bytes) -> None:
    response = desk.person.post(f"{QA}/import", data={"file": (io.BytesIO(content), "a")})
    assert response.status_code in (200, 422), response.get_data(as_text=True)
    assert desk.get(QA)["entries"] == []


def test_an_import_that_has_no_room_brings_nothing(desk: Desk) -> None:
    desk.rows("UPDATE tenants SET max_storage_gb = 0 WHERE tenant_id = %s RETURNING 1", desk.tenant_id)
    desk.post(f"{QA}/import", 429, rows=pairs(5))
    assert desk.get(QA)["entries"] == []
    assert desk.rows("SELECT 1 FROM documents WHERE tenant_id = %s", desk.tenant_id) == []
    assert desk.rows("SELECT 1 FROM batches WHERE tenant_id = %s", desk.tenant_id) == []
