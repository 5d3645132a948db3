"""An archive holds all that its tenant owns, nothing of another's, and no secret; making it takes no memory."""

import base64
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import psutil
import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg.rows import dict_row
from sqlalchemy import text
from werkzeug.serving import make_server

from api.organisation import lifecycle
from pipelines.stores.database import get_engine, tenant_session
from pipelines.stores.objects import ObjectStore
from pipelines.stores.organisation import tenant_export
from pipelines.stores.organisation.tenant_tables import tenant_tables
from schemas.tables.base import Base
from tests.integration.lifecycle.conftest import Owner
from tests.integration.relay.valkey import wait_until

NewOwner = Callable[[str], Owner]
MIB = 1 << 20


def opened(data: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


def plain(value: Any) -> Any:
    """Return a value of the database as the archive's encodings say it is written."""
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else value


def same_time(left: str, right: str) -> bool:
    return datetime.fromisoformat(left) == datetime.fromisoformat(right)


def test_the_tables_are_those_of_the_database(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    ).fetchall()
    # A process of its own: this one has imported every model already.
    code = (
        "from pipelines.stores.organisation.tenant_tables import tenant_tables;"
        "print(*(t.name for t in tenant_tables()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {name for (name,) in rows} == set(found)


def test_every_column_that_looks_secret_was_thought_of() -> None:
    tables = {table.name: table for table in tenant_tables()}
    looking = {
        (table.name, column.name)
        for table in tables.values()
        for column in table.columns
        if tenant_export.LOOKS_SECRET.search(column.name)
    }
    listed = [
        {(table, column) for table, columns in kind.items() for column in columns}
        for kind in (tenant_export.WITHHELD, tenant_export.HARMLESS)
    ]
    withheld, harmless = listed
    assert looking - withheld - harmless == set(), (
        "decide: WITHHELD or HARMLESS in pipelines/stores/organisation/tenant_export.py"
    )
    assert not withheld & harmless
    for table, column in withheld | harmless:
        assert column in tables[table].columns, f"{table}.{column} is listed and does not exist"


def test_a_new_column_that_looks_secret_is_withheld_before_anybody_lists_it() -> None:
    table = Base.metadata.tables["agents"].to_metadata(type(Base.metadata)())
    assert tenant_export.withheld(table) == set()
    for name in ("webhook_secret", "apikey", "password", "refresh_token", "private_pem"):
        table.append_column(type(table.c.name)(name, table.c.name.type))
    assert tenant_export.withheld(table) == {"webhook_secret", "apikey", "password", "refresh_token", "private_pem"}


def test_the_archive_holds_every_row_and_object(
    client: FlaskClient, new_owner: NewOwner, admin: psycopg.Connection
) -> None:
    new_owner("other")
    owner = new_owner("leaving")
    response = client.get("/api/tenant/export", headers=owner.headers, buffered=True)
    assert (response.status_code, response.content_type) == (200, "application/zip")
    archive = opened(response.get_data())
    manifest = json.loads(archive.read("manifest.json"))
    assert archive.namelist()[-1] == "manifest.json"
    assert (manifest["tenant_id"], manifest["version"]) == (str(owner.tenant_id), 1)

    cursor = admin.cursor(row_factory=dict_row)
    for table in tenant_tables():
        written = [json.loads(line) for line in archive.read(f"tables/{table.name}.jsonl").splitlines()]
        rows = cursor.execute(f"SELECT * FROM {table.name} WHERE tenant_id = %s", (owner.tenant_id,)).fetchall()
        if table.name != "tenant_deletions":
            assert rows, table.name
        columns = [column.name for column in tenant_export.exported(table)]
        assert all(list(line) == columns for line in written)
        assert manifest["tables"][table.name]["rows"] == len(written) == len(rows)
        key = [column.name for column in table.primary_key.columns if column.name in columns]
        by_key = {tuple(str(plain(row[name])) for name in key): row for row in rows}
        assert len(by_key) == len(rows)
        for line in written:
            row = by_key[tuple(str(line[name]) for name in key)]
            for name in columns:
                if name == "embedding":
                    vector = np.frombuffer(base64.b64decode(line[name]), "<f2")
                    assert vector.tolist() == json.loads(row[name])
                elif isinstance(row[name], datetime):
                    assert same_time(line[name], row[name].isoformat())
                else:
                    assert line[name] == plain(row[name]), f"{table.name}.{name}"

    files = {name: archive.read(name) for name in archive.namelist() if name.startswith("objects/")}
    assert files == {f"objects/{key.partition('/')[2]}": data for key, data in owner.objects.items()}
    assert manifest["objects"] == len(owner.objects)
    assert {entry["name"] for entry in manifest["entries"]} == set(archive.namelist()) - {"manifest.json"}
    for entry in manifest["entries"]:
        data = archive.read(entry["name"])
        assert (entry["bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_nothing_of_another_tenant_and_no_secret_is_in_it(
    client: FlaskClient, new_owner: NewOwner, admin: psycopg.Connection
) -> None:
    other, owner = new_owner("other"), new_owner("leaving")
    archive = opened(client.get("/api/tenant/export", headers=owner.headers, buffered=True).get_data())
    everything = "\n".join(archive.namelist()).encode() + b"".join(archive.read(name) for name in archive.namelist())
    assert everything.count(owner.canary.encode()) > 50_000
    [key_hash] = admin.execute("SELECT key_hash FROM api_keys WHERE tenant_id = %s", (owner.tenant_id,)).fetchone()
    hidden = [owner.secret, base64.b64encode(owner.secret.encode()).decode(), owner.api_key, key_hash]
    hidden += [other.canary, other.secret, str(other.tenant_id), str(other.doc_id), str(other.turn_id)]
    assert [value for value in hidden if value.encode() in everything] == []


def test_the_act_is_audited_and_told_in_the_archive(
    client: FlaskClient, new_owner: NewOwner, admin: psycopg.Connection
) -> None:
    owner = new_owner("audited")
    archive = opened(client.get("/api/tenant/export", headers=owner.headers, buffered=True).get_data())
    rows = admin.execute("SELECT actor_kind, action FROM audit_log WHERE tenant_id = %s", (owner.tenant_id,)).fetchall()
    assert rows == [("system", "test.made"), ("api_key", "tenant.exported")]
    assert b"tenant.exported" in archive.read("tables/audit_log.jsonl")


def test_the_tables_are_those_of_one_moment(
    new_owner: NewOwner, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversation that begins while the archive is written is in none of its tables."""
    owner = new_owner("snapshot")
    monkeypatch.setattr(tenant_export, "OUT_BYTES", 1)
    pieces = tenant_export.archive(owner.tenant_id, store)
    data = next(pieces)
    with tenant_session(owner.tenant_id) as session:
        for table, columns in (("conversations", "user_id"), ("agents", "name")):
            session.execute(
                text(
                    f"INSERT INTO {table} (tenant_id, {columns}, assistant_key) VALUES (:t, 'meanwhile', 'meanwhile')"
                ),
                {"t": owner.tenant_id},
            )
    archive = opened(data + b"".join(pieces))
    assert [name for name in archive.namelist() if b"meanwhile" in archive.read(name)] == []


def test_an_object_that_vanishes_meanwhile_is_marked(new_owner: NewOwner, store: ObjectStore) -> None:
    owner = new_owner("vanishing")
    big = os.urandom(3 * MIB)
    store.put(f"{owner.tenant_id}/big/original", big)
    pieces, data, gone = tenant_export.archive(owner.tenant_id, store), b"", False
    for piece in pieces:
        data += piece
        if not gone and b"objects/big/original" in data:
            store.delete_some(f"{owner.tenant_id}/big", 1)
            gone = True
    archive = opened(data)
    [entry] = [e for e in json.loads(archive.read("manifest.json"))["entries"] if e["name"] == "objects/big/original"]
    assert (entry["bytes"], entry["incomplete"]) == (MIB, True)
    assert archive.read("objects/big/original") == big[:MIB]


def test_making_it_takes_no_memory_of_its_size(tenant: UUID, store: ObjectStore) -> None:
    """50 MB of uploads that do not compress, and the most that was held on the way."""
    for i in range(2):
        store.put(f"{tenant}/documents/{i}/original", os.urandom(25 * MIB))
    me = psutil.Process()
    sent, rss, before = 0, 0, me.memory_info().rss
    tracemalloc.start()
    for piece in tenant_export.archive(tenant, store):
        sent += len(piece)
        rss = max(rss, me.memory_info().rss)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent > 50 * MIB
    assert peak < 10 * MIB, f"{peak / MIB:.1f} MiB of Python's memory"
    assert rss - before < 40 * MIB, f"{(rss - before) / MIB:.1f} MiB of the process"


def test_one_archive_of_a_tenant_at_a_time_and_a_closed_one_frees_its_place(
    client: FlaskClient, new_owner: NewOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = new_owner("twice")
    monkeypatch.setattr(tenant_export, "OUT_BYTES", 1)
    first = client.get("/api/tenant/export", headers=owner.headers, buffered=False)
    assert get_engine().pool.checkedout() == 1
    second = client.get("/api/tenant/export", headers=owner.headers, buffered=True)
    assert (second.status_code, second.get_json()["code"]) == (503, "too_busy")
    first.close()
    assert get_engine().pool.checkedout() == 0
    assert client.get("/api/tenant/export", headers=owner.headers, buffered=True).status_code == 200
    assert lifecycle._exporting == set()


@contextmanager
def served(client: FlaskClient) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, client.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()


def test_a_client_that_goes_away_ends_the_work(client: FlaskClient, new_owner: NewOwner, store: ObjectStore) -> None:
    owner = new_owner("away")
    store.put(f"{owner.tenant_id}/big", os.urandom(40 * MIB))
    with served(client) as port, socket.create_connection(("127.0.0.1", port)) as asking:
        request = f"GET /api/tenant/export HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner.api_key}\r\n\r\n"
        asking.sendall(request.encode())
        assert asking.recv(12) == b"HTTP/1.1 200"
        assert lifecycle._exporting == {owner.tenant_id}
        asking.close()
        wait_until(lambda: not lifecycle._exporting)
    assert lifecycle._exporting == set()
    wait_until(lambda: get_engine().pool.checkedout() == 0)


def test_a_key_without_the_right_gets_nothing(
    client: FlaskClient, new_owner: NewOwner, admin: psycopg.Connection
) -> None:
    owner = new_owner("weak")
    admin.execute("UPDATE api_keys SET scopes = '{documents:read}' WHERE tenant_id = %s", (owner.tenant_id,))
    assert client.get("/api/tenant/export", headers=owner.headers, buffered=True).status_code == 403
    assert client.delete("/api/tenant", json={"confirm": "x"}, headers=owner.headers).status_code == 403
