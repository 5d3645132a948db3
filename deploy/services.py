"""Postgres and Valkey for this machine: chosen by URL, or embedded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from deploy.claim import claimed
from deploy.database import for_driver, for_sqlalchemy, indexer_url, prepare, require_schema, role_of
from deploy.places import Places, free_port, places, port_is_free
from deploy.postgres import postgres
from deploy.processes import Program, Started, spawn, stop, wait_until
from deploy.valkey import valkey
from schemas.errors.work import CannotStart
from schemas.settings import Settings

START_WITHIN_S = 180
"""A Postgres that recovers from a crash may take this long to answer."""


@dataclass(frozen=True)
class Servers:
    """The servers of a stack: what must be started for them, and how they are reached.

    `admin_url` is empty where AURA_DATABASE_URL is an app's role and no admin was given.
    """

    programs: tuple[Program, ...]
    admin_url: str
    app_url: str
    redis_url: str


def choose(where: Places, settings: Settings, durable: bool = True) -> Servers:
    """Return the servers: those of the settings' URLs, embedded ones for the others. Raises CannotStart."""
    programs = []
    admin_url, app_url, redis_url = settings.database_admin_url, settings.database_url, settings.redis_url
    if not (admin_url or app_url):
        database, admin_url = postgres(where, port_for("database", settings.database_port), durable)
        programs.append(database)
    elif not admin_url and role_of(app_url).privileged:
        # Row level security would not bind this role: it prepares, and the app gets a role of its own.
        admin_url, app_url = app_url, ""
    if not redis_url:
        messages, redis_url = valkey(where, port_for("redis", settings.redis_port))
        programs.append(messages)
    return Servers(tuple(programs), admin_url, app_url, redis_url)


def port_for(name: str, wanted: int) -> int:
    """Return `wanted`, or a free port where it is 0. Raises CannotStart where it is taken."""
    if wanted and not port_is_free(wanted):
        raise CannotStart(
            f"Port {wanted} (AURA_{name.upper()}_PORT) is in use. Choose another, or 0 to take a free one."
        )
    return wanted or free_port()


def index_url(servers: Servers, app_url: str, settings: Settings) -> str:
    """Return the URL by which upkeep indexes; empty where there is no role for it."""
    return settings.database_index_url or (indexer_url(servers.admin_url, app_url) if servers.admin_url else "")


def prepared(servers: Servers) -> str:
    """Return the app's URL once database and schema are ready behind it. Raises CannotStart."""
    if servers.admin_url:
        return prepare(servers.admin_url, servers.app_url or None)
    require_schema(servers.app_url)
    return for_sqlalchemy(servers.app_url)


def answers(servers: Servers) -> tuple[bool, str]:
    """Return whether both servers answer, and a word on the one that does not."""
    try:
        psycopg.connect(for_driver(servers.admin_url or servers.app_url), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return False, f"Postgres: {str(error).strip()[-200:]}"
    try:
        with redis.Redis.from_url(servers.redis_url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except redis.RedisError as error:
        return False, f"Redis: {error}"
    return True, ""


@contextmanager
def services(data_dir: Path, settings: Settings, durable: bool = True) -> Iterator[tuple[str, str, str]]:
    """Yield (admin_url, app_url, redis_url) of running, migrated servers; the embedded ones end with the block.

    Must be entered in the main thread. `durable=False` skips fsync, for tests.
    """
    where = places(data_dir)
    with claimed(where):
        servers = choose(where, settings, durable)
        started = [spawn(program, where) for program in servers.programs]
        try:
            await_answer(servers, started)
            yield servers.admin_url, prepared(servers), servers.redis_url
        finally:
            stop(started)


def await_answer(servers: Servers, started: Sequence[Started]) -> None:
    """Return when the servers answer. Raises CannotStart when one ended or took too long."""

    def gone() -> list[Started]:
        return [each for each in started if each.process.poll() is not None]

    if not wait_until(lambda: bool(gone()) or answers(servers)[0], START_WITHIN_S):
        raise CannotStart(f"The servers did not answer within {START_WITHIN_S} s. {answers(servers)[1]}")
    for each in gone():
        raise CannotStart(f"{each.program.name} ended at once. It said:\n{each.said()}")
