"""Postgres: one engine a process, and the only way to a tenant's rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from pgvector.psycopg import register_vector
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, SessionTransaction

from schemas.errors import StoreUnavailable
from schemas.settings import get_settings


class PrivilegedRole(RuntimeError):
    """The database role could bypass row level security; AURA refuses to run with it."""


def open_engine(url: str, pool_size: int = 10, wait_s: float = 10) -> Engine:
    """Return an engine for `url` (postgresql://…) whose connections know pgvector's types.

    A connection that a restarted server has closed is noticed at checkout and replaced. Where all are in
    use, the next is waited for at most `wait_s` seconds.
    """
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=wait_s,
        hide_parameters=True,  # They are what somebody asked or uploaded, and errors go to the log.
        connect_args={"connect_timeout": 5, "application_name": "aura"},
    )
    event.listen(engine, "connect", _teach)
    return engine


def _teach(connection: Any, _record: object) -> None:
    """Have a new connection know vectors, and read JSON six times as fast as Python's own module does."""
    register_vector(connection)
    set_json_loads(msgspec.json.decode, connection)


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
    # `is_local` ends the setting with the transaction, so a pooled connection can not carry it on.
    connection.execute(
        text("SELECT set_config('app.tenant_id', :tenant, true), set_config('synchronous_commit', :wait, true)"),
        {"tenant": str(session.tenant_id), "wait": "on" if session.durable else "off"},
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
    except (OperationalError, PoolTimeout) as error:
        raise StoreUnavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable from error
        raise


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
