"""A set of questions is asked in the background, measured, and leaves nothing behind but its figures."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import psycopg
import pytest
from click.testing import CliRunner

from api.cli.evaluate import evaluate
from tests.integration.evaluation.conftest import PRICES
from tests.integration.reindex.stacks import Stack

pytestmark = pytest.mark.timeout(900)
"""Whole processes are started: seconds where the machine is idle, minutes where it is not."""


def questions() -> list[dict[str, Any]]:
    """Return a question about each gadget, and two that should be refused."""
    known = [
        {
            "question": f"What does the gadget{number} cost?",
            "answer": f"{price} euros",
            "source": {"filename": f"gadget-{number}.txt"},
        }
        for number, price in PRICES.items()
    ]
    return [*known, {"question": "Who is the emperor of Mongolia?"}, {"question": "Why do volcanoes erupt?"}]


def run(stack: Stack, **body: Any) -> dict[str, Any]:
    made = stack.client.post("/api/evaluations", json={"questions": questions(), **body})
    assert made.status_code == 202, made.text
    assert made.headers["Location"].endswith(f"/api/jobs/{made.json()['id']}")
    return stack.finished(made.json()["id"])


@pytest.fixture(scope="module")
def finished(stack: Stack) -> dict[str, Any]:
    one = {"name": "one passage", "match_count": 1, "dense_weight": 0.0}
    return run(stack, name="Gadgets", configurations=[{}, one])


def test_a_run_measures_each_configuration(finished: dict[str, Any]) -> None:
    assert (finished["status"], finished["done"], finished["total"]) == ("completed", 14, 14)
    as_set, one = finished["results"]
    assert (as_set["name"], one["name"]) == ("as set", "one passage")
    for figures in (as_set, one):
        assert (figures["questions"], figures["answerable"], figures["errors"]) == (14, 12, 0)
        assert figures["recall_at_5"] == 1.0
        assert figures["gold_inside"] == 1.0
        assert figures["refused_rightly"] == 1.0
        assert figures["refused_wrongly"] == 0.0
        assert figures["latency_p50_ms"] > 0
        assert figures["cost_usd"] == 0
        assert figures["models"] == ["extractive"]
    # By words alone each gadget is first; the vectors of this embedder tell less.
    assert (one["recall_at_1"], one["mrr"], one["ndcg_at_10"]) == (1.0, 1.0, 1.0)
    assert as_set["mrr"] <= 1.0


def test_it_leaves_no_conversation_behind(stack: Stack, finished: dict[str, Any], admin: psycopg.Connection) -> None:
    for table in ("turns", "conversations", "messages"):
        row = admin.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%Mongolia%'").fetchone()
        assert row == (0,)


def test_the_table_and_the_plot_show_the_figures(stack: Stack, finished: dict[str, Any]) -> None:
    place = f"/api/evaluations/{finished['id']}"
    table = stack.client.get(place, params={"format": "md"})
    assert table.headers["Content-Type"].startswith("text/markdown")
    assert "| one passage | 1.000 |" in table.text
    plot = stack.client.get(place, params={"format": "svg"})
    assert plot.headers["Content-Type"].startswith("image/svg+xml")
    assert "sandbox" in plot.headers["Content-Security-Policy"]
    ElementTree.fromstring(plot.text)


def test_every_question_has_its_outcomes(stack: Stack, finished: dict[str, Any]) -> None:
    place = f"/api/evaluations/{finished['id']}/questions"
    first = stack.client.get(place, params={"limit": 10}).json()
    rest = stack.client.get(place, params={"limit": 10, "after": first["next"]}).json()
    found = [*first["questions"], *rest["questions"]]
    assert [one["number"] for one in found] == list(range(14))
    assert rest["next"] is None
    assert all(len(one["outcomes"]) == 2 for one in found)
    assert f"{PRICES[500]} euros" in found[0]["outcomes"][0]["answer"]
    assert found[12]["outcomes"][0]["refused"]


def test_two_runs_are_compared(stack: Stack, finished: dict[str, Any]) -> None:
    wrong = [{**one, "answer": "3 euros"} if n < 2 else one for n, one in enumerate(questions()[:-1])]
    later = run(stack, questions=wrong)
    found = stack.client.get(f"/api/evaluations/{later['id']}", params={"against": finished["id"]}).json()["against"]
    assert (found["better"], found["same"], found["missing"]) == ([], 11, 1)
    assert found["worse"] == [one["question"] for one in questions()[:2]]
    unknown = stack.client.get(f"/api/evaluations/{later['id']}", params={"against": str(uuid4())})
    assert unknown.status_code == 404


def test_its_events_are_told_in_order(stack: Stack, finished: dict[str, Any]) -> None:
    with stack.client.stream("GET", f"/api/jobs/{finished['id']}/events") as stream:
        names = [line.partition(":")[2].strip() for line in stream.iter_lines() if line.startswith("event:")]
    assert names[0] == "evaluation.accepted"
    assert names[-1] == "evaluation.completed"
    assert set(names[1:-1]) <= {"evaluation.progress"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("set.csv", "question,answer,source\nWhat does the gadget501 cost?,1503 euros,gadget-501.txt\n"),
        (
            "squad.json",
            json.dumps(
                {
                    "data": [
                        {
                            "paragraphs": [
                                {
                                    "context": "The gadget501 costs 1503 euros, with a lamp.",
                                    "qas": [
                                        {
                                            "question": "What does the gadget501 cost?",
                                            "answers": [{"text": "1503 euros"}],
                                        }
                                    ],
                                }
                            ]
                        }
                    ]
                }
            ),
        ),
    ],
)
def test_a_file_is_a_set(stack: Stack, name: str, content: str) -> None:
    form = {"name": name, "configurations": json.dumps([{"match_count": 3}])}
    made = stack.client.post("/api/evaluations/upload", data=form, files={"file": (name, content.encode())})
    assert made.status_code == 202, made.text
    done = stack.finished(made.json()["id"])
    assert done["name"] == name
    assert (done["results"][0]["recall_at_1"], done["results"][0]["gold_inside"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"questions": []}, "invalid_request"),
        ({"questions": [{"question": ""}]}, "invalid_request"),
        ({"questions": [{"question": "a"}], "configurations": [{"assistant_key": "nobody"}]}, "unknown_assistant"),
        ({"questions": [{"question": "a"}], "configurations": [{"chat_provider": "nobody"}]}, "invalid_request"),
        ({"questions": [{"question": "a"}], "configurations": [{"dense_weight": 2}]}, "invalid_request"),
        ({"questions": [{"question": "a"}], "configurations": [{}] * 9}, "invalid_request"),
        ({"data": [{"x": 1}]}, "invalid_request"),
    ],
)
def test_what_cannot_be_asked_is_refused(stack: Stack, body: dict[str, Any], code: str) -> None:
    found = stack.client.post("/api/evaluations", json=body)
    assert found.json()["code"] == code, found.text


def test_a_run_is_cancelled_and_deleted(stack: Stack) -> None:
    many = [{"question": f"What does the gadget{n} cost, please?"} for n in range(3000)]
    made = stack.client.post("/api/evaluations", json={"questions": many}).json()
    place = f"/api/evaluations/{made['id']}"
    assert stack.client.post(f"{place}/cancel").json()["status"] == "cancelled"
    assert stack.client.post(f"{place}/cancel").json()["code"] == "not_ready"
    kept = stack.client.get(place).json()
    assert (kept["status"], kept["done"] < 3000) == ("cancelled", True)
    assert stack.client.get(f"/api/jobs/{made['id']}").json()["finished"]
    assert stack.client.delete(place).status_code == 204
    assert stack.client.get(place).status_code == 404
    assert stack.client.delete(place).status_code == 404


def test_a_listing_has_the_newest_first(stack: Stack, finished: dict[str, Any]) -> None:
    found = stack.client.get("/api/evaluations", params={"limit": 2}).json()
    assert len(found["evaluations"]) == 2
    assert found["evaluations"][0]["created_at"] >= found["evaluations"][1]["created_at"]
    rest = stack.client.get("/api/evaluations", params={"limit": 200, "after": found["next"]}).json()
    assert finished["id"] in [one["id"] for one in rest["evaluations"] + found["evaluations"]]


def test_the_command_prints_the_table(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, finished: dict[str, Any]
) -> None:
    monkeypatch.setattr("api.cli.evaluate.make_client", _left_open(stack))
    path = tmp_path / "set.json"
    path.write_text(json.dumps(questions()[:3]))
    plot = tmp_path / "plot.svg"
    options = ["--config", "match_count=2", "--config", "dense_weight=0.5", "--plot", str(plot)]
    done = CliRunner().invoke(evaluate, [str(path), *options, "--against", finished["id"]])
    assert done.exit_code == 0, done.output
    assert "| 1: " in done.output
    assert "0 better, 0 worse, 3 the same." in done.output
    assert plot.read_text().startswith("<svg")
    refused = CliRunner().invoke(evaluate, [str(path), "--config", "match_count=many"])
    assert refused.exit_code == 2


def _left_open(stack: Stack) -> Callable[[], Any]:
    class Client:
        def __enter__(self) -> Any:
            return stack.client

        def __exit__(self, *_: object) -> None:
            """The stack's own client goes on."""

    return Client
