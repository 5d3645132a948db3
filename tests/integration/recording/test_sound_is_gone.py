"""With recording off nothing of the sound outlives its minutes in Redis: no row, no object, no log line has any."""

import base64
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import redis

from deploy.ephemeral import wait_until
from pipelines.stores.organisation.tenant_tables import tenant_tables
from pipelines.stores.redis import get_redis
from tests.integration.people import Person
from tests.integration.recording.conftest import QUESTION, Studio
from workers import recordings, upkeep

MOST_S = 600


def pieces(sound: bytes) -> Iterator[str]:
    """Yield marks by which a sound is found in any form that a text may have it in: raw, hex, base64, numbers."""
    for begin in range(0, len(sound) - 96, 3_000):
        piece = sound[begin - begin % 3 :][:48]
        yield piece.hex()
        yield base64.b64encode(piece).decode()
        yield repr(piece)[2:-1]


def test_without_recording_sound_is_nowhere_but_in_redis_and_for_minutes(
    ada: Person,
    studio: Studio,
    admin: psycopg.Connection,
    kept_files: Callable[[str], list[Path]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    spoken = studio.turn(ada, recorded=True)
    recordings.keep()

    (row,) = admin.execute(
        "SELECT status, question, error_code, error_detail FROM turns WHERE turn_id = %s", (spoken.turn_id,)
    )
    assert row == ("completed", QUESTION, None, None) and len(studio.answered) > 10_000
    marks = {*pieces(studio.said), *pieces(studio.answered)}
    for table in tenant_tables():
        rows = admin.execute(f"SELECT r::text FROM {table.name} r WHERE tenant_id = %s", (ada.tenant_id,))
        assert [table.name for (text,) in rows if any(mark in text for mark in marks)] == []
    assert [path for path in kept_files(ada.tenant_id) if "recordings" in path.parts or path.suffix == ".wav"] == []
    said = "".join(capfd.readouterr())
    assert not any(mark in said for mark in marks)
    assert len(list(with_sound(marks))) >= 2  # The utterance and the answer: what is looked for can be found.
    assert {key: ttl for key, ttl in with_sound(marks) if not 0 < ttl <= MOST_S} == {}


def with_sound(marks: set[str]) -> Iterator[tuple[str, int]]:
    """Yield every key of Redis that holds some of the sound, with its seconds to live (-1: for ever)."""
    client = get_redis()
    readers = {
        b"string": client.get,
        b"stream": client.xrange,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    for key in client.scan_iter(count=1000):
        found = repr(readers[client.type(key)](key))  # type: ignore[index]
        if any(mark in found for mark in marks):
            yield key.decode(), client.ttl(key)  # type: ignore[misc]


def test_the_log_of_redis_is_written_anew_without_what_has_expired(studio: Studio, ada: Person) -> None:
    studio.turn(ada, recorded=False, upto="transcribe")
    client, log = get_redis(), aof_folder()
    assert studio.said[:200] in log_of(log)
    for key, _ in with_sound(set(pieces(studio.said))):
        client.delete(key)

    upkeep.rewrite_log()

    rewritten(client)
    # The files from before are deleted soon after.
    wait_until(lambda: studio.said[:200] not in log_of(log), 120, "the log from before is gone")


def aof_folder() -> Path:
    found = get_redis().config_get("dir")
    return Path(found["dir"]) / "appendonlydir"  # type: ignore[index]


def log_of(folder: Path) -> bytes:
    found = b""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # A log from before.
            found += path.read_bytes()
    return found


def rewritten(client: "redis.Redis") -> None:
    def done() -> bool:
        about = client.info("persistence")
        return not about["aof_rewrite_in_progress"] and not about["aof_rewrite_scheduled"]  # type: ignore[index]

    wait_until(done, 120, "the log is written anew")
