"""What is said is kept where the organisation wants it and who speaks was told, and goes when it must."""

import io
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from pipelines.stores.redis import get_redis
from tests.integration.people import Person, code
from tests.integration.recording.conftest import Spoken, Studio
from workers import recordings

Files = Callable[[str], list[Path]]


def sound(data: bytes) -> tuple[int, bytes]:
    """Return rate and PCM16 of a WAV file."""
    with wave.open(io.BytesIO(data)) as file:
        return file.getframerate(), file.readframes(file.getnframes())


@pytest.fixture
def spoken(recorded_tenant: Person, studio: Studio) -> Spoken:
    """Return a turn whose recording is kept."""
    found = studio.turn(recorded_tenant, recorded=True)
    recordings.keep()
    return found


def test_question_and_answer_are_listed_and_sound_as_they_were(
    recorded_tenant: Person, studio: Studio, spoken: Spoken
) -> None:
    (listed,) = (recorded_tenant.get("/api/recordings").json or {})["recordings"]
    assert listed["turn_id"] == str(spoken.turn_id) and listed["question_s"] == 1.5
    question, answer = (recorded_tenant.get(listed[name]) for name in ("question_url", "answer_url"))
    assert question.content_type == "audio/wav" and "no-store" in question.headers["Cache-Control"]
    assert sound(question.data) == (16_000, studio.said)
    assert sound(answer.data) == (22_050, studio.answered)
    assert listed["answer_s"] == pytest.approx(len(studio.answered) / 2 / 22_050, abs=0.001)


def test_keeping_twice_keeps_one_and_a_turn_in_work_is_left_alone(
    recorded_tenant: Person, studio: Studio, spoken: Spoken, admin: psycopg.Connection, kept_files: Files
) -> None:
    studio.turn(recorded_tenant, recorded=True, upto="generate")
    admin.execute("UPDATE recordings SET due_at = now() - interval '1 h'")
    recordings.keep()
    recordings.keep_one(UUID(recorded_tenant.tenant_id), spoken.turn_id)
    assert len(kept_files(recorded_tenant.tenant_id)) == 2


def test_a_client_that_was_not_told_is_not_recorded(recorded_tenant: Person, studio: Studio, kept_files: Files) -> None:
    studio.turn(recorded_tenant, recorded=False)
    recordings.keep()
    assert kept_files(recorded_tenant.tenant_id) == []


def test_what_was_turned_off_is_off_from_the_next_utterance_on(
    recorded_tenant: Person, studio: Studio, kept_files: Files
) -> None:
    assert recorded_tenant.request("PATCH", "/api/tenant", json={"record_voice": False}).status_code == 200
    studio.turn(recorded_tenant, recorded=True)
    recordings.keep()
    assert kept_files(recorded_tenant.tenant_id) == []


def test_sound_that_has_expired_leaves_a_row_and_nothing_to_hear(
    recorded_tenant: Person, studio: Studio, admin: psycopg.Connection
) -> None:
    spoken = studio.turn(recorded_tenant, recorded=True)
    for key in get_redis().scan_iter(f"aura:{recorded_tenant.tenant_id}:*"):
        get_redis().delete(key)
    recordings.keep()
    assert admin.execute("SELECT status FROM recordings WHERE turn_id = %s", (spoken.turn_id,)).fetchone() == (
        "nothing",
    )
    assert (recorded_tenant.get("/api/recordings").json or {})["recordings"] == []
    assert code(recorded_tenant.get(f"/api/recordings/{spoken.turn_id}/question")) == (404, "not_found")


def test_others_hear_nothing_managers_and_admins_do_and_that_is_written_down(
    recorded_tenant: Person,
    spoken: Spoken,
    studio: Studio,
    joined: Callable[..., Person],
    founder: Callable[..., Person],
) -> None:
    stranger, colleague, manager = founder(), joined(recorded_tenant), joined(recorded_tenant, "manager")
    address = f"/api/recordings/{spoken.turn_id}/question"
    for person in (stranger, colleague):
        assert code(person.get(address)) == (404, "not_found")
        assert code(person.request("DELETE", f"/api/recordings/{spoken.turn_id}")) == (404, "not_found")
        assert (person.get("/api/recordings").json or {})["recordings"] == []
    assert manager.get(address).status_code == 200
    assert code(manager.request("DELETE", f"/api/recordings/{spoken.turn_id}")) == (404, "not_found")
    acts = [one["action"] for one in (recorded_tenant.get("/api/tenant/audit").json or {})["entries"]]
    assert acts[0] == "recording.heard" and "tenant.changed" in acts


def test_a_person_deletes_a_recording_and_keeps_the_words(
    recorded_tenant: Person, spoken: Spoken, kept_files: Files, admin: psycopg.Connection
) -> None:
    assert recorded_tenant.request("DELETE", f"/api/recordings/{spoken.turn_id}").status_code == 204
    assert kept_files(recorded_tenant.tenant_id) == []
    assert code(recorded_tenant.get(f"/api/recordings/{spoken.turn_id}/question")) == (404, "not_found")
    assert admin.execute("SELECT count(*) FROM turns WHERE turn_id = %s", (spoken.turn_id,)).fetchone() == (1,)


def test_what_is_older_than_its_days_goes(
    recorded_tenant: Person, spoken: Spoken, studio: Studio, kept_files: Files, admin: psycopg.Connection
) -> None:
    admin.execute("UPDATE recordings SET created_at = now() - interval '6 days 23 h'")
    recordings.forget()
    assert len(kept_files(recorded_tenant.tenant_id)) == 2
    admin.execute("UPDATE recordings SET created_at = now() - interval '7 days 1 min'")
    recordings.forget()
    assert kept_files(recorded_tenant.tenant_id) == []
    ours = "SELECT count(*) FROM recordings WHERE tenant_id = %s"
    assert admin.execute(ours, (recorded_tenant.tenant_id,)).fetchone() == (0,)


def test_a_recording_goes_with_its_conversation_also_one_that_is_being_kept(
    recorded_tenant: Person,
    spoken: Spoken,
    studio: Studio,
    kept_files: Files,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = studio.turn(recorded_tenant, recorded=True)
    answered = recordings._answered

    def deleted_meanwhile(of: object) -> tuple[int, bytes]:
        found = answered(of)  # type: ignore[arg-type]
        for one in (spoken, late):
            gone = recorded_tenant.request("DELETE", f"/api/memory/conversations/{one.conversation_id}")
            assert gone.status_code == 200 and (gone.json or {})["deleted"]["recordings"] == 1, gone.json
        return found

    monkeypatch.setattr(recordings, "_answered", deleted_meanwhile)
    recordings.keep()
    assert kept_files(recorded_tenant.tenant_id) == []


def test_forget_me_and_the_export_know_recordings(
    recorded_tenant: Person, spoken: Spoken, studio: Studio, kept_files: Files
) -> None:
    with zipfile.ZipFile(io.BytesIO(recorded_tenant.get("/api/tenant/export").data)) as archive:
        names = archive.namelist()
        question = f"objects/recordings/{spoken.conversation_id}/{spoken.turn_id}/question.wav"
        assert sound(archive.read(question))[1] == studio.said
        assert str(spoken.turn_id) in archive.read("tables/recordings.jsonl").decode() and len(names) > 5
    assert recorded_tenant.request("DELETE", "/api/memory").status_code == 200
    assert kept_files(recorded_tenant.tenant_id) == []
