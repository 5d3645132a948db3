"""Asking by text and by voice over the public interfaces of a running stack."""

import io
import json
import os
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy import spoken
from deploy.client import Client
from deploy.demo import word_error_rate
from deploy.ephemeral import Stack, wait_until
from deploy.places import REPO

FACT = "The early train to London leaves at nine in the morning from platform two."
QUESTION = "When does the early train to London leave?"


@pytest.fixture(scope="module", autouse=True)
def knowledge(stack: Stack) -> None:
    """Put the fact into the tenant's knowledge."""
    assert stack.upload("train.txt", FACT.encode(), wait_s=300).status_code == 200


def streamed(stack: Stack, path: str, **options: Any) -> list[dict[str, Any]]:
    """Return the events of a server-sent stream until it ends."""
    with stack.client.stream("POST" if "json" in options else "GET", path, **options) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream"), response.read()
        return [json.loads(line[5:]) for line in response.iter_lines() if line.startswith("data:")]


def test_an_answer_has_the_fields_reference_clients_read(stack: Stack) -> None:
    answer = stack.ask(QUESTION)
    assert "nine in the morning" in answer["response"]
    assert answer["sources_used"] == ["document_chunks"]
    assert answer["sources"][0] == "train.txt"
    assert answer["context_confidence"] > 0.7
    assert answer["assistant_key"] == "default-assistant"
    assert {"processing_time", "cost", "timestamp", "session_id", "model_used"} <= answer.keys()
    assert answer["rag_stats"].keys() == {"chunks_retrieved", "context_tokens", "search_time", "model_used"}
    assert answer["citations"][0]["quote"] == FACT
    assert {"retrieve", "generate"} <= answer["timings"].keys()


def test_a_streamed_answer_is_its_tokens_joined(stack: Stack) -> None:
    events = streamed(stack, "/api/chat", json={"message": QUESTION, "stream": True})
    names = [event["type"] for event in events]
    assert names[-1] == "turn.completed"
    assert names.index("turn.retrieved") < names.index("turn.token") < names.index("turn.sentence")
    assert "".join(event["text"] for event in events if event["type"] == "turn.token").strip() == events[-1]["response"]


def test_a_stream_goes_on_where_it_was_cut(stack: Stack) -> None:
    whole = streamed(stack, "/api/chat", json={"message": QUESTION, "stream": True})
    turn_id = whole[-1]["turn_id"]
    cut = whole[len(whole) // 2]["id"]
    rest = streamed(stack, f"/api/jobs/{turn_id}/events", headers={"Last-Event-ID": cut})
    assert [event["id"] for event in rest] == [event["id"] for event in whole[len(whole) // 2 + 1 :]]
    job = stack.client.get(f"/api/jobs/{turn_id}").json()
    assert (job["kind"], job["status"], job["finished"]) == ("turn", "completed", True)
    assert job["result"]["response"] == whole[-1]["response"]


def test_a_documents_job_tells_every_step(stack: Stack) -> None:
    job = stack.upload("steps.md", b"# Steps\n\nEvery step of this document is told.").json()
    events = streamed(stack, job["events"])
    assert [event["type"] for event in events] == [
        "document.accepted",
        "document.extracted",
        "document.chunked",
        "document.embedded",
        "document.processed",
    ]
    chunks = stack.client.get(f"/api/documents/{job['job_id']}/chunks").json()["chunks"]
    assert chunks[0]["heading_path"] == ["Steps"]


def test_a_deleted_document_answers_no_more(stack: Stack) -> None:
    content = b"The treasure of Captain Onyx lies below the old windmill."
    doc_id = stack.upload("treasure.txt", content, wait_s=300).json()["job_id"]
    assert "windmill" in stack.ask("Where is the treasure of Captain Onyx?")["response"]
    receipt = stack.client.delete(f"/api/documents/{doc_id}").json()
    assert (receipt["chunks_deleted"], receipt["objects_deleted"]) == (1, 1)
    assert "windmill" not in stack.ask("Where is the treasure of Captain Onyx?")["response"]


def test_a_spoken_question_is_answered_aloud(stack: Stack, tmp_path: Path) -> None:
    client = Client(stack.url)
    for _ in range(3):
        # The voice says nothing twice alike, and may mumble once.
        pcm, rate_hz = client.synthesize(QUESTION)
        heard = spoken.ask(stack.url, pcm, rate_hz, "default-assistant")
        if word_error_rate(QUESTION, heard.events["turn.transcript"]["text"]) <= 0.2:
            break
    assert word_error_rate(QUESTION, heard.events["turn.transcript"]["text"]) <= 0.2
    completed = heard.events["turn.completed"]
    assert "nine in the morning" in completed["response"]
    assert {"transcribe", "retrieve", "generate", "synthesize_0"} <= completed["timings"].keys()
    answer = tmp_path / "answer.wav"
    with wave.open(str(answer), "wb") as sound:
        sound.setparams((1, 2, heard.sample_rate_hz, 0, "NONE", ""))
        sound.writeframes(bytes(heard.pcm))
    # The small models mishear a word or two of each other; another sentence would share next to none.
    assert word_error_rate(completed["response"], client.transcribe(answer)) <= 0.4


def test_speech_comes_as_json_or_as_wav(stack: Stack) -> None:
    body = stack.client.post("/voice/synthesize", data={"text": "Good morning."}).json()
    assert body["success"]
    assert body["characters"] == 13
    raw = stack.client.post("/api/voice/synthesize", json={"text": "Good morning."}, headers={"Accept": "audio/wav"})
    with wave.open(io.BytesIO(raw.content)) as sound:
        assert abs(sound.getnframes() / sound.getframerate() - body["duration"]) < 0.5
    status = stack.client.get("/api/voice/status").json()
    assert (status["stt_available"], status["tts_available"]) == (True, True)
    assert stack.client.get("/api/voice/voices").json()["voices"][0]["provider"]


def flask(stack: Stack, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run one of AURA's own commands as another terminal would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AURA_")}
    environment["AURA_DATA_DIR"] = str(stack.data_dir)
    command = [sys.executable, "-m", "flask", "--app", "api", *arguments]
    return subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=400, check=False)


def test_the_command_line_ingests_asks_and_examines(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "bakery.txt").write_text("The bakery at Mill Lane closes at six in the evening.")
    (tmp_path / "broken.pdf").write_text("no pdf at all")
    ingested = flask(stack, "ingest", str(tmp_path))
    assert (ingested.returncode, "1 of 2 files are searchable." in ingested.stdout) == (1, True)
    assert "type_mismatch" in ingested.stdout
    asked = flask(stack, "ask", "When does the bakery at Mill Lane close?")
    assert asked.returncode == 0
    assert "six in the evening" in asked.stdout
    assert "bakery.txt" in asked.stdout
    examined = flask(stack, "doctor")
    assert examined.returncode == 0, examined.stdout


def test_flower_shows_the_workers(stack: Stack) -> None:
    url = f"http://127.0.0.1:{stack.runtime()['AURA_FLOWER_PORT']}/workers?json=1"

    def shown() -> set[str]:
        workers = httpx.get(url, timeout=60, trust_env=False).json()["data"]
        return {worker["hostname"].split("@")[0] for worker in workers}

    # It learns of them by what they tell now and then.
    wait_until(lambda: shown() >= {"extract", "embed", "generate", "synthesize"}, 120, "the workers are shown")
