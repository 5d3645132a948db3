"""A key that a tenant has set is found nowhere but, sealed, in its row: not even where a provider repeats it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
import redis

from tests import forked, leftovers
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd
from tests.integration.relay.valkey import wait_until

ROOT = Path(__file__).parents[3]
CANARY = f"sk-canary-{uuid4().hex}"
VOICE_CANARY = f"el-canary-{uuid4().hex}"
QUEUES = "retrieve,generate,synthesize,transcribe,express,extract,chunk,embed,store,upkeep"


@dataclass
class Stack:
    """A web process and a worker of every queue; all that they have written lies in `log`."""

    client: httpx.Client
    log: Path


@pytest.fixture
def stack(remote: FarEnd, servers: tuple[str, str, str], tmp_path: Path) -> Iterator[Stack]:
    leftovers.clear(servers)
    log = tmp_path / "log"
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "AURA_LOG_LEVEL": "debug"}
    web = ["-m", "gunicorn", "--worker-class", "gthread", "--threads", "16", "--bind", f"unix:{tmp_path}/web"]
    programs = (
        [*web, "--log-level", "debug", "api:create_app()"],
        ["-m", "workers", "-Q", QUEUES, "-P", "threads", "-c", "8", "--without-gossip", "--without-mingle"],
    )
    with log.open("wb") as out:
        running = [forked.start(program, environ, out) for program in programs]
        try:
            with redis.Redis.from_url(servers[2]) as store:
                wait_until(lambda: len(list(store.scan_iter("aura:worker:*"))) >= QUEUES.count(",") + 1, 200)
            wait_until((tmp_path / "web").exists, 200)
            transport = httpx.HTTPTransport(uds=str(tmp_path / "web"))
            with httpx.Client(transport=transport, base_url="http://localhost", timeout=300) as client:
                yield Stack(client, log)
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(120)


@pytest.fixture
def everywhere(admin: psycopg.Connection, servers: tuple[str, str, str], stack: Stack) -> Callable[[], dict[str, str]]:
    """Return what reads all that AURA keeps and has said, as text by place."""

    def read() -> dict[str, str]:
        found = {"log": stack.log.read_text(errors="replace")}
        tables = admin.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in tables.fetchall():
            rows = admin.execute(f'SELECT t::text FROM "{table}" t').fetchall()
            found[f"table {table}"] = "\n".join(row for (row,) in rows)
        with redis.Redis.from_url(servers[2]) as store:
            for key in store.scan_iter():
                found[f"redis {key.decode()}"] = (store.dump(key) or b"").decode("latin-1") + str(whole(store, key))
        for path in Path(os.environ["AURA_DATA_DIR"]).rglob("*"):
            if path.is_file() and not {"postgres", "valkey"} & set(path.parts) and path.stat().st_size < 10 << 20:
                found[f"file {path}"] = path.read_bytes().decode("latin-1")
        return found

    return read


def whole(store: "redis.Redis", key: bytes) -> object:
    """Return a value with what packing hides: Redis compresses long texts."""
    readers = {b"string": store.get, b"hash": store.hgetall, b"set": store.smembers}
    kind = store.type(key)
    if kind == b"list":
        return store.lrange(key, 0, -1)
    if kind == b"stream":
        return store.xrange(key)
    if kind == b"zset":
        return store.zrange(key, 0, -1, withscores=True)
    # A key may expire between the two questions.
    return readers[kind](key) if kind != b"none" else b""


def repeats_the_key(exchange: Exchange) -> None:
    """Refuse a request in words that hold the key it came with; embed what is to be embedded."""
    asked = exchange.asked
    key = asked.headers.get("xi-api-key") or asked.headers.get("authorization", "").removeprefix("Bearer ")
    if asked.path.endswith("/embeddings"):
        fakes.embeddings(lambda _: (1.0, 0.0))(exchange)
    elif "text-to-speech" in asked.path:
        exchange.send_json({"detail": {"status": "bad", "message": f"bad request by {key}: {'x' * 140} {key}"}}, 422)
    else:
        fakes.failure(400, f"{'y' * 150} bad request with key {key}, Bearer {key}")(exchange)


def test_a_tenants_key_is_kept_shown_and_written_nowhere(
    stack: Stack, remote: FarEnd, everywhere: Callable[[], dict[str, str]]
) -> None:
    client = stack.client
    for provider, key in (("custom", CANARY), ("elevenlabs", VOICE_CANARY)):
        assert client.put(f"/api/tenant/provider-keys/{provider}", json={"key": key}).status_code == 200
    said = [client.get("/api/tenant/provider-keys").text]
    remote.reply = repeats_the_key

    # Its key is taken along, the provider repeats it in its refusal, and the refusal is told.
    document = client.post(
        "/api/documents/upload", files={"file": ("a.txt", b"The tower has 119 steps.")}, headers={"Prefer": "wait=30"}
    )
    refused = client.post("/api/chat", json={"message": "How many steps has the tower?"})
    spoken = client.post("/api/voice/synthesize", json={"text": "Hello."})
    said += [response.text for response in (document, refused, spoken)]
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "bad request with key [secret], " in refused.json()["detail"]
    assert (spoken.status_code, spoken.json()["code"]) == (422, "invalid_request")
    # The workers also warm up, and find work that other tests have left, with the deployment's key.
    asked_for_us = [asked for asked in remote.asked if b"tower" in asked.body or b"Hello." in asked.body]
    carried = {asked.headers.get("authorization") or asked.headers.get("xi-api-key") for asked in asked_for_us}
    assert carried == {f"Bearer {CANARY}", VOICE_CANARY}

    # An answer that goes well, a stream, a job's events, and a key that is no longer wanted.
    remote.reply = lambda exchange: (
        fakes.embeddings(lambda _: (1.0, 0.0)) if exchange.asked.path.endswith("/embeddings") else fakes.answer("119.")
    )(exchange)
    answered = client.post("/api/chat", json={"message": "How many steps?", "stream": True})
    assert "turn.completed" in answered.text
    said += [answered.text, client.get(f"/api/jobs/{document.json()['job_id']}/events").text]
    said.append(client.put("/api/tenant/provider-keys/openai", json={"key": f"{CANARY} {CANARY}"}).text)
    said.append(client.put("/api/tenant/provider-keys/nobody", json={"key": CANARY}).text)

    found = everywhere()
    assert "table tenants" in found
    assert "retrieve" in found["log"]
    assert any("turn.failed" in text for place, text in found.items() if place.startswith("redis "))
    assert "[secret]" in found["table turns"]
    leaks = [
        place for place, text in found.items() for key in (CANARY, VOICE_CANARY) if key in text or key[4:30] in text
    ]
    assert leaks == []
    assert not [text for text in said if "canary" in text]
