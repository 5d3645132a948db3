"""Postgres: one engine a process, and the only way to a tenant's rows."""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import msgspec
import psycopg
from pgvector.psycopg import register_vector
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, SessionTransaction

from pipelines.niceness import be_served_nicely
from schemas.errors.providers import StoreUnavailable
from schemas.settings import get_settings

Driver = psycopg.Connection[Any]
"""A connection below SQLAlchemy, in a transaction that is bound to a tenant."""

Rows = psycopg.Cursor[Any]
"""What a statement found; to read it is to wait for it."""


class PrivilegedRole(RuntimeError):
    """The database role could bypass row level security; AURA refuses to run with it."""


def open_engine(url: str, pool_size: int = 10, wait_s: float = 10) -> Engine:
    """Return an engine for `url` (postgresql://…) whose connections know pgvector's types.

    A connection that a restarted server has closed is noticed at checkout and replaced, by its socket alone: a
    question and its answer would delay every transaction. One that was unused for `STALE_S` is asked. Where all are
    in use, the next is waited for at most `wait_s` seconds.
    """
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=wait_s,
        hide_parameters=True,  # They are what somebody asked or uploaded, and errors go to the log.
        connect_args={"connect_timeout": 10, "application_name": "aura"},
    )
    event.listen(engine, "connect", _teach)
    event.listen(engine, "connect", lambda connection, _: be_served_nicely(connection))
    event.listen(engine, "checkout", _refuse_cut)
    event.listen(engine, "checkin", _note_use)
    return engine


def _teach(connection: Any, _record: object) -> None:
    """Have a new connection know vectors, and read JSON six times as fast as Python's own module does."""
    register_vector(connection)
    set_json_loads(msgspec.json.decode, connection)


STALE_S = 30.0
"""A connection unused for longer may be gone without a sign, with the machine or the network at its other end."""


def _note_use(_: object, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _refuse_cut(driver: "psycopg.Connection[Any]", record: Any, _: object) -> None:
    """Have the pool open a connection anew that is no more."""
    if not driver.closed:
        watched = select.poll()
        watched.register(driver.fileno(), select.POLLIN)
        # A server says nothing unasked but that it ends, or that its settings were changed.
        if not watched.poll(0) and time.monotonic() - record.info.get("used_at", time.monotonic()) < STALE_S:
            return
        with suppress(psycopg.Error):
            driver.execute("SELECT 1")
            driver.rollback()
            return
    raise DisconnectionError


@lru_cache
def get_engine() -> Engine:
    """Return this process's engine; refuses a role that could see other tenants' rows."""
    engine = open_engine(get_settings().database_url)
    refuse_privileged_role(engine)
    return engine


def refuse_privileged_role(engine: Engine) -> None:
    """Raise PrivilegedRole unless the role is bound by row level security and owns no table."""
    question = text(
        "SELECT rolsuper OR rolbypassrls, EXISTS (SELECT FROM pg_tables WHERE tableowner = current_user"
        " AND schemaname = 'public'), current_user FROM pg_roles WHERE rolname = current_user"
    )
    with engine.connect() as connection:
        bypasses, owns, name = connection.execute(question).one()
    if bypasses or owns:
        what = "bypasses row level security" if bypasses else "owns AURA's tables"
        raise PrivilegedRole(f"The database role {name!r} {what}. Connect as `aura_app` (AURA_DATABASE_URL).")


class TenantSession(Session):
    """A session whose every transaction is bound to one tenant."""

    tenant_id: UUID
    durable: bool = True


@event.listens_for(TenantSession, "after_begin")
def _bind_tenant(session: TenantSession, _transaction: Any, connection: Connection) -> None:
    driver = cast(Driver, connection.connection.driver_connection)
    # The begin of the transaction and its binding are one round trip.
    with driver.pipeline():
        _bind(driver, session.tenant_id, session.durable)


def _bind(driver: Driver, tenant_id: UUID, durable: bool) -> None:
    # `is_local` ends the setting with the transaction, so a pooled connection can not carry it on.
    driver.execute(
        "SELECT set_config('app.tenant_id', %(tenant)s, true), set_config('synchronous_commit', %(wait)s, true)",
        {"tenant": str(tenant_id), "wait": "on" if durable else "off"},
    )


@contextmanager
def tenant_session(tenant_id: UUID, *, durable: bool = True) -> Iterator[TenantSession]:
    """Open a transaction that sees and writes the rows of `tenant_id` only; commits at the end.

    `durable=False` does not wait for the disk: for the steps of a turn, which the sweep repeats
    after a crash of the server. Raises StoreUnavailable when Postgres does not answer.
    """
    session = TenantSession(get_engine(), expire_on_commit=False)
    session.tenant_id, session.durable = tenant_id, durable
    try:
        with session, session.begin():
            yield session
    except (OperationalError, PoolTimeout, psycopg.OperationalError) as error:
        raise StoreUnavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable from error
        raise


@contextmanager
def tenant_pipeline(tenant_id: UUID, *, durable: bool = True) -> Iterator[Driver]:
    """As `tenant_session`, for where somebody waits: a connection whose statements are sent without waiting.

    The first result that is read waits for all before it; where none is read before the end, the whole transaction
    is one round trip, and its cursors are read after it. Raises StoreUnavailable when Postgres does not answer.
    """
    with _pipeline() as driver:
        _bind(driver, tenant_id, durable)
        yield driver


@contextmanager
def operator_pipeline() -> Iterator[Driver]:
    """As `operator_session`: a transaction that is bound to no tenant; its statements as in `tenant_pipeline`."""
    with _pipeline() as driver:
        yield driver


@contextmanager
def _pipeline() -> Iterator[Driver]:
    try:
        pooled = get_engine().raw_connection()
    except (OperationalError, PoolTimeout) as error:
        raise StoreUnavailable from error
    driver = cast(Driver, pooled.driver_connection)
    try:
        with driver.pipeline():
            yield driver
            driver.commit()
    except psycopg.OperationalError as error:
        if driver.broken:
            pooled.invalidate(error)
        raise StoreUnavailable from error
    finally:
        # Rolls back what was not committed.
        pooled.close()


def driver_of(session: Session) -> Driver:
    """Return the connection of a session's transaction."""
    return cast(Driver, session.connection().connection.driver_connection)


def afterwards(session: Session, act: Callable[[], object]) -> None:
    """Do something once the session's transaction has ended, however it did, and its connection is free again.

    What needs a connection of its own belongs here: where every caller holds one and waits for a second, all wait.
    """

    def ended(_: object, transaction: SessionTransaction) -> None:
        if transaction is outermost:
            act()

    outermost = session.get_transaction()
    event.listen(session, "after_transaction_end", ended)


@contextmanager
def operator_session() -> Iterator[Session]:
    """Open a transaction that is bound to no tenant: it sees no rows, and may call the work functions."""
    try:
        with Session(get_engine(), expire_on_commit=False) as session, session.begin():
            yield session
    except (OperationalError, PoolTimeout) as error:
        raise StoreUnavailable from error
