"""Bad files, archives and recordings, all at once: each ends as it should, and none does any harm."""

import io
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest

from deploy.ephemeral import Stack
from tests.hostile.bad import MARK, PASSWORD, PROCESSED, Bad
from tests.hostile.bad_archives import ARCHIVES, BadArchive
from tests.hostile.bad_files import FILES, NAMES
from tests.hostile.bad_recordings import HEARD, RATE_HZ, RECORDINGS, SENTENCE, BadRecording, Samples
from tests.hostile.bombs import docx
from tests.hostile.flood import Canary, End, Watch, flood, forgotten, send, text
from tests.unit.ingest import pdfs
from tests.unit.ingest.test_passwords import locked, plain

pytestmark = pytest.mark.timeout(700)  # The first test waits for all files.

NEIGHBOURS = 20
ANSWERED_S = 60
"""In which the door answers: far more than it takes on a quiet machine. The flood bounds the time to the end."""

MEMORY_MIB = 1024 + 256
"""What a file may take beside what its process had when all was quiet: its limit, and the libraries of its reader."""


@dataclass
class After:
    """What was there when all was over."""

    ends: dict[str, End]
    answers: dict[str, httpx.Response]
    watch: Watch
    canary: Canary


def neighbour(number: int) -> tuple[str, bytes]:
    """Return a good file of some kind that is sent among the bad ones."""
    said = f"Neighbour {number} is well and says {uuid4()}."
    kinds = {
        "txt": said.encode(),
        "md": f"# Well\n\n{said}".encode(),
        "pdf": pdfs.document([pdfs.text(60, 700, said)]),
        "docx": docx(said),
    }
    kind = list(kinds)[number % len(kinds)]
    return f"neighbour-{number}.{kind}", kinds[kind]


def spoken(stack: Stack) -> Samples:
    """Return the sentence, spoken, at 16 kHz."""
    answer = stack.client.post("/api/voice/synthesize", json={"text": SENTENCE}, headers={"Accept": "audio/wav"})
    with wave.open(io.BytesIO(answer.content)) as sound:
        mono = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
        rate_hz = sound.getframerate()
    at = np.arange(int(len(mono) * RATE_HZ / rate_hz)) * rate_hz / RATE_HZ
    return np.interp(at, np.arange(len(mono)), mono).astype(np.float32)


@pytest.fixture(scope="module")
def after(stack: Stack) -> Iterator[After]:
    """Send all of it at once, and yield what became of it."""
    canary, speech = Canary(), spoken(stack)
    works = [(bad.name, partial(_sent, stack, bad, canary.url)) for bad in FILES]
    works += [(bad.filename, lambda bad=bad: send(stack, bad.filename, bad.make(), bad.password)) for bad in ARCHIVES]
    works += [
        (bad.filename, lambda bad=bad: send(stack, bad.filename, bad.make(speech, canary.url))) for bad in RECORDINGS
    ]
    for number in range(NEIGHBOURS):
        name, data = neighbour(number)
        works.insert(number * len(works) // NEIGHBOURS, (name, partial(send, stack, name, data)))

    def transcribed(bad: BadRecording) -> httpx.Response:
        files = {"file": (bad.filename, bad.make(speech, canary.url))}
        return stack.client.post("/api/voice/transcribe", files=files)

    with forgotten(stack):
        with Watch(stack) as watch, ThreadPoolExecutor(2) as beside:
            answers = {bad.filename: beside.submit(transcribed, bad) for bad in RECORDINGS}
            ends = flood(stack, works)
            found = {name: answer.result() for name, answer in answers.items()}
        yield After(ends, found, watch, canary)
    canary.close()


def _sent(stack: Stack, bad: Bad, canary: str) -> End:
    return send(stack, bad.filename, bad.make(canary), bad.password)


@pytest.mark.parametrize("bad", FILES, ids=lambda bad: bad.name)
def test_a_bad_file_ends_as_it_should(stack: Stack, after: After, bad: Bad) -> None:
    end = after.ends[bad.name]
    assert_explained(end)
    assert end.code in bad.ends, end
    if end.code == PROCESSED and (bad.says or bad.hides):
        read = text(stack, end.body["job_id"])
        assert bad.says in read
        assert not bad.hides or bad.hides not in read


@pytest.mark.parametrize("bad", ARCHIVES, ids=lambda bad: bad.filename)
def test_each_entry_of_a_bad_archive_ends_as_it_should(after: After, bad: BadArchive) -> None:
    end = after.ends[bad.filename]
    assert end.status == 202, end.body
    assert end.view["code"] == bad.code
    assert not bad.code or end.view["detail"].endswith(".")
    assert {item["filename"]: item["code"] or item["status"] for item in end.items} == bad.items
    assert all(item["detail"] and item["remedy"] for item in end.items if item["code"])


@pytest.mark.parametrize("bad", RECORDINGS, ids=lambda bad: bad.filename)
def test_a_bad_recording_ends_as_it_should(stack: Stack, after: After, bad: BadRecording) -> None:
    end, answer = after.ends[bad.filename], after.answers[bad.filename]
    assert_explained(end)
    assert end.code in bad.ends, end
    if end.code == PROCESSED and bad.ends == (PROCESSED,):
        assert HEARD in text(stack, end.body["job_id"]).lower()
    if answer.status_code == 200:
        assert PROCESSED in bad.answers
        assert len(bad.answers) > 1 or HEARD in answer.json()["text"].lower()
    else:
        assert_explained(End(answer.status_code, answer.json(), answer.headers["Content-Type"], 0))
        assert answer.json()["code"] in bad.answers


def assert_explained(end: End) -> None:
    """Nothing went wrong on our side, and what did is said in a sentence; what failed says what to do."""
    assert end.status in (202, 413, 415, 422), end.body
    if end.status != 202:
        assert end.content_type == "application/problem+json"
        assert end.body["detail"].endswith(".")
        assert end.body["trace_id"]
    elif end.view["status"] == "failed":
        assert end.view["detail"].endswith(".")
        assert end.view["remedy"]
        assert not end.view["retryable"]
    else:
        assert end.view["status"] == PROCESSED


def test_the_neighbours_are_read(stack: Stack, after: After) -> None:
    for number in range(NEIGHBOURS):
        ends = [end for name, end in after.ends.items() if name.startswith(f"neighbour-{number}.")]
        assert [end.code for end in ends] == [PROCESSED]
        assert f"Neighbour {number} is well" in text(stack, ends[0].body["job_id"])


def test_no_worker_was_lost(after: After) -> None:
    assert after.watch.lost_mains == set()
    assert after.watch.lost_children == []
    assert after.watch.bugs == []


def test_memory_and_time_were_bounded(after: After) -> None:
    taken = {queue: peak - after.watch.base_mib[queue] for queue, peak in after.watch.peak_mib.items()}
    assert max(taken.values()) < MEMORY_MIB, taken
    assert {name for name, end in after.ends.items() if end.answered_s > ANSWERED_S} == set()


def test_nothing_was_executed_or_fetched(after: After) -> None:
    assert after.canary.heard == []
    assert not Path(f"/tmp{MARK}").exists()


def test_names_are_made_safe_to_show_and_to_store(after: After) -> None:
    stored = {name: end.view["filename"] for name, end in after.ends.items() if name.startswith("name ") and end.view}
    assert stored == {f"name {i}": name for i, name in enumerate(NAMES.values()) if not name.endswith(".exe")}


def test_a_locked_file_opens_when_it_comes_again_with_its_password(stack: Stack) -> None:
    data = locked(plain("docx"), PASSWORD)
    with forgotten(stack):
        first = stack.upload("late.docx", data, wait_s=60).json()
        assert first["code"] == "encrypted"
        wrong = stack.upload("late.docx", data, wait_s=60, password="no").json()
        assert wrong["code"] == "wrong_password"
        found = stack.upload("late.docx", data, wait_s=60, password=PASSWORD)
        assert found.status_code == 200
        assert "said in secret" in text(stack, found.json()["job_id"])


def test_the_same_file_many_times_at_once_is_one_document(stack: Stack) -> None:
    data = f"The same words, {uuid4()}.".encode()
    with forgotten(stack), ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda i: stack.upload(f"same-{i}.txt", data, wait_s=60).json()["job_id"], range(16)))
        assert len(ids) == 1
        assert stack.document(ids.pop())["chunks"] == 1
