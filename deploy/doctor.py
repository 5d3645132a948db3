"""What is installed, running and missing on this machine, and how to mend it. Works when nothing runs."""

import importlib.metadata
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import redis
from packaging.markers import Marker

from deploy.database import connected, head, revision, role_of
from deploy.places import REPO, Places, port_is_free
from deploy.readiness import address, missing
from pipelines import providers
from pipelines.providers import weights
from pipelines.stores.knowledge import promotion
from schemas.errors.tree import AuraError
from schemas.errors.work import CannotStart
from schemas.settings import Settings
from workers.process.presence import live_queues
from workers.send import QUEUES

LOW_DISK_GIB = 2
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; ([^\\]+))?", re.MULTILINE)
RUN = "Start it with `make run`."
INSTALL = "Run `make run`, which installs what is missing."


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. Where it is not `ok`, `mend` says what to do; `needed`: AURA cannot do without."""

    name: str
    ok: bool
    what: str
    mend: str = ""
    needed: bool = True


def examine(settings: Settings) -> list[Finding]:
    """Return what was found, from the ground up: machine, packages, servers, workers, providers."""
    return [
        *_machine(settings),
        _packages(),
        _weights(settings),
        *_database(settings),
        *_workers(settings),
        *_web(settings),
        *_providers(settings),
    ]


def _machine(settings: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "Python",
        (3, 11) <= sys.version_info[:2] <= (3, 13),
        version,
        "Install Python 3.11, 3.12 or 3.13, delete .venv and run `make run PYTHON=python3.12`.",
    )
    folder = settings.data_dir.resolve()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free_gib = shutil.disk_usage(there).free / 2**30
    yield Finding(
        "Disk",
        free_gib >= LOW_DISK_GIB,
        f"{free_gib:.1f} GiB free for {folder}",
        "Free some space, or set AURA_DATA_DIR to a folder on another disk.",
    )


def _packages() -> Finding:
    wrong = []
    locked = LOCKED.findall((REPO / "requirements.txt").read_text())
    for name, version, marker in locked:
        if marker and not Marker(marker.strip()).evaluate():
            continue
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "missing"
        if found != version:
            wrong.append(f"{name} {found}, locked {version}")
    what = f"{len(locked)} locked" if not wrong else f"{len(wrong)} differ: {'; '.join(wrong[:5])}"
    return Finding("Packages", not wrong, what, INSTALL)


def _weights(settings: Settings) -> Finding:
    try:
        weights.verify_all(Places(settings.data_dir.resolve()).models)
    except AuraError as error:
        return Finding("Model weights", False, error.detail, INSTALL)
    return Finding("Model weights", True, "each has its known SHA-256")


def _database(settings: Settings) -> Iterator[Finding]:
    url = settings.database_url
    if not url:
        yield Finding("Postgres", False, "the embedded one is not running", RUN)
        return
    try:
        role = role_of(url)
        yield Finding("Postgres", True, f"version {role.version}")
        yield Finding(
            "Database role",
            not role.privileged,
            f"{role.name}, {'which row level security does not bind' if role.privileged else 'bound to its tenant'}",
            "Give the processes the URL of an unprivileged role; `make run` and `python -m deploy.migrate` make one.",
        )
        with connected(url) as connection:
            row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
            schema, newest = revision(connection), head()
    except CannotStart as error:
        yield Finding("Postgres", False, error.detail, RUN)
        return
    yield Finding(
        "pgvector", row is not None, row[0] if row else "not in the database", "Run `python -m deploy.migrate`."
    )
    if schema == newest:
        yield _vector_indexes(url)
    yield Finding(
        "Schema",
        schema == newest,
        f"version {schema or 'none'}, newest {newest}",
        "Set AURA_DATABASE_ADMIN_URL and run `python -m deploy.migrate`.",
    )


def _vector_indexes(url: str) -> Finding:
    with connected(url) as connection:
        large = connection.execute(
            "SELECT vector_index_name(tenant_id, embedding_model) FROM large_corpora(%s)", (promotion.PROMOTE_AT,)
        ).fetchall()
        ready = connection.execute(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisvalid"
        ).fetchall()
    missing = len(set(large) - set(ready))
    return Finding(
        "Vector indexes",
        not missing,
        f"{len(large)} large tenants, {missing or 'none'} searched exactly, which is slower",
        "Upkeep makes them within minutes, where it is given AURA_DATABASE_INDEX_URL.",
        needed=False,
    )


def _workers(settings: Settings) -> Iterator[Finding]:
    if not settings.redis_url:
        yield Finding("Redis", False, "the embedded Valkey is not running", RUN)
        return
    try:
        with redis.Redis.from_url(settings.redis_url, socket_connect_timeout=3, socket_timeout=3) as client:
            version = client.info("server")["redis_version"]
            live = live_queues(client)
    except redis.RedisError as error:
        yield Finding("Redis", False, str(error), RUN)
        return
    yield Finding("Redis", True, f"answers as version {version}")
    for queue in QUEUES:
        there = len(live.get(queue, ()))
        yield Finding(
            f"Queue {queue}",
            there > 0,
            f"{there} worker{'' if there == 1 else 's'}",
            f"The supervisor of `make run` starts it again; {settings.data_dir}/logs/{LOGS.get(queue, queue)}.log"
            " says why it ended.",
        )


LOGS = {"intake": "notify"}
"""Queues whose worker is called by another of its queues."""


def _web(settings: Settings) -> Iterator[Finding]:
    at = address(settings)
    left = missing(at)
    if not left:
        yield Finding("Web", True, f"ready at {at}")
    elif left != ("the web process",):
        yield Finding("Web", False, f"at {at}, waiting for {', '.join(left)}", "See the lines above.")
    elif port_is_free(settings.port, settings.host):
        yield Finding("Web", False, f"port {settings.port} is free and nothing answers there", RUN)
    else:
        yield Finding("Web", False, f"another program has port {settings.port}", "Choose another with AURA_PORT.")


def _providers(settings: Settings) -> Iterator[Finding]:
    for offer in providers.offers(settings):
        chosen = ", chosen" if offer.chosen else ""
        what = f"{offer.model}{chosen}" if offer.offered else f"not offered{chosen}"
        yield Finding(f"{offer.kind}: {offer.name}", offer.offered, what, offer.why_not or "", needed=offer.chosen)
