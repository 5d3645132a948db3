"""Roles, database, extensions and migrations: what makes a Postgres ready for AURA.

All of it may run again at any time, and from several machines at once.
"""

import ast
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from deploy.places import REPO
from schemas.errors.work import CannotStart

OWNER, SWEEPER, LOOKUP, APP = "aura_owner", "aura_sweeper", "aura_lookup", "aura_app"
SEARCHER, INDEXER = "aura_searcher", "aura_indexer"
DATABASE = "aura"
MIN_POSTGRES, MIN_VECTOR = 15, (0, 8)
STARTERS_LOCK = 0x41555241
"""Advisory lock, the letters AURA: of several starters one prepares, the others wait."""


@dataclass(frozen=True)
class Role:
    """What a connection's role may do. `privileged` is true where row level security would not bind it."""

    name: str
    privileged: bool
    version: int


def role_of(url: str) -> Role:
    """Return the role that `url` connects as. Raises CannotStart where nothing answers."""
    with connected(url) as connection:
        row = connection.execute(
            "SELECT r.rolname, r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR d.datdba = r.oid"
            " OR EXISTS (SELECT FROM pg_roles o WHERE o.rolname = %s AND pg_has_role(r.oid, o.oid, 'MEMBER'))"
            " FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()",
            (OWNER,),
        ).fetchone()
        assert row is not None
        return Role(row[0], row[1], connection.info.server_version // 10_000)


def prepare(
    admin_url: str, app_url: str | None = None, password: str | None = None, index_url: str | None = None
) -> str:
    """Make roles, database, extensions, grants and the newest schema; return the URL of the app's role.

    The app's role and database are those of `app_url`, where it is given. Its password is that of
    `app_url`, else `password`, else one derived from the admin's, so that every machine which
    knows the admin derives the same. The role that indexes is that of `index_url`, else the one that
    `indexer_url` tells. Raises CannotStart with what is missing.
    """
    target = _app_url(admin_url, app_url, password)
    indexing = index_url or indexer_url(admin_url, target)
    to = urlsplit(target)
    database = to.path.lstrip("/")
    with connected(admin_url) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", (STARTERS_LOCK,))
        version = admin.info.server_version // 10_000
        if version < MIN_POSTGRES:
            raise CannotStart(f"Postgres {MIN_POSTGRES} or newer is needed; {to.hostname} runs Postgres {version}.")
        try:
            _roles(admin, target)
            if indexing:
                _indexer(admin, indexing)
            _database(admin, database)
            with connected(with_database(admin_url, database)) as connection:
                _extensions(connection)
                _grants(connection, database)
                if revision(connection) != head():
                    _migrate(with_database(admin_url, database))
        except psycopg.errors.InsufficientPrivilege as error:
            raise CannotStart(
                f"The role of AURA_DATABASE_ADMIN_URL may not prepare the database ({error.diag.message_primary}). "
                "It needs CREATEROLE and CREATEDB, and pgvector installed or the right to install it."
            ) from error
    return target


def require_schema(app_url: str) -> None:
    """Raise CannotStart unless the schema behind `app_url` is the newest: an app's role cannot migrate."""
    with connected(app_url) as connection:
        found = revision(connection)
    if found != head():
        raise CannotStart(
            f"The database has schema version {found or 'none'} and this AURA needs {head()}. "
            "Set AURA_DATABASE_ADMIN_URL to a role that may migrate it, and start again."
        )


def revision(connection: psycopg.Connection) -> str | None:
    """Return the schema's version, None before the first migration."""
    row = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
    if row is None or row[0] is None:
        return None
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return found[0] if found else None


def head() -> str:
    """Return the newest version in `migrations/`. Read without Alembic, whose import costs a warm start 0.3 s."""
    known: set[str] = set()
    replaced: set[str | None] = set()
    for path in (REPO / "migrations" / "versions").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            name = target.id if isinstance(target, ast.Name) else ""
            if name in ("revision", "down_revision") and isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                (known if name == "revision" else replaced).add(ast.literal_eval(node.value))
    (newest,) = known - replaced
    return newest


def for_driver(url: str) -> str:
    """Return `url` as psycopg reads it."""
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql"))


def for_sqlalchemy(url: str) -> str:
    """Return `url` as SQLAlchemy reads it."""
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql+psycopg"))


def with_database(url: str, database: str) -> str:
    """Return `url` for another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """Yield an autocommit connection. Raises CannotStart where the server refuses or does not answer."""
    try:
        connection = psycopg.connect(for_driver(url), autocommit=True, connect_timeout=10)
    except psycopg.ProgrammingError as error:
        raise CannotStart(f"A database URL is not one: {str(error).strip()[-200:]}") from error
    except psycopg.OperationalError as error:
        to = urlsplit(url)
        raise CannotStart(
            f"Postgres at {to.hostname}:{to.port or 5432} did not let {to.username or 'us'} in: "
            f"{str(error).strip()[-300:]}"
        ) from error
    with connection:
        yield connection


def _app_url(admin_url: str, app_url: str | None, password: str | None) -> str:
    """Return the app's URL: `app_url`, or the admin's with the app's role, password and database."""
    parts = urlsplit(app_url or admin_url)
    name = parts.path.lstrip("/")
    if app_url is None:
        admin_password = unquote(parts.password or "")
        if not (password or admin_password):
            raise CannotStart("AURA_DATABASE_ADMIN_URL has no password, so set AURA_DATABASE_URL with the app's own.")
        derived = hmac.new(admin_password.encode(), APP.encode(), hashlib.sha256).hexdigest()
        host = parts.netloc.rpartition("@")[2]
        parts = parts._replace(netloc=f"{APP}:{quote(password or derived, safe='')}@{host}")
        name = DATABASE if name in ("", "postgres") else name
    return for_sqlalchemy(urlunsplit(parts._replace(path=f"/{name or DATABASE}")))


def indexer_url(admin_url: str, app_url: str) -> str:
    """Return the URL of the role that makes indexes, in the app's database; empty where the admin has no password."""
    parts = urlsplit(admin_url)
    if not parts.password:
        return ""
    derived = hmac.new(unquote(parts.password).encode(), INDEXER.encode(), hashlib.sha256).hexdigest()
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{INDEXER}:{derived}@{host}", path=urlsplit(app_url).path))


def _indexer(admin: psycopg.Connection, url: str) -> None:
    """Make the role that may become the owner, and has none of its rights before it does.

    One that is there and another's to change stays as it is: search is exact then, which the doctor tells.
    """
    parts = urlsplit(url)
    name, password = unquote(parts.username or INDEXER), unquote(parts.password or "")
    role = sql.Identifier(name)
    if admin.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).rowcount == 0:
        admin.execute(sql.SQL("CREATE ROLE {} NOINHERIT").format(role))
    elif _may_log_in(url):
        return
    with suppress(psycopg.errors.InsufficientPrivilege):
        admin.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(OWNER), role))


def _roles(admin: psycopg.Connection, app_url: str) -> None:
    to = urlsplit(app_url)
    user, password = unquote(to.username or APP), unquote(to.password or "")
    known = {row[0] for row in admin.execute("SELECT rolname FROM pg_roles")}
    # NOINHERIT: the owner may hand a function to these three, but has none of their rights itself.
    for role in (OWNER, SWEEPER, LOOKUP, SEARCHER):
        if role not in known:
            admin.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(sql.Identifier(role)))
    for role in {APP, user} - known:
        admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    if user not in known or not _may_log_in(app_url):
        # CREATEROLE alone may not even say NOSUPERUSER, and it is what a new role is anyway.
        admin.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(user), sql.Literal(password)))
    if user != APP:
        # Policies and grants name aura_app; another name has them by being its member.
        admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APP), sql.Identifier(user)))
    admin.execute(f"GRANT {OWNER} TO CURRENT_USER")
    admin.execute(f"GRANT {SWEEPER}, {LOOKUP}, {SEARCHER} TO {OWNER}")


def _may_log_in(url: str) -> bool:
    """Return whether the app's role has this password; asked by logging in, as hashes are not for all to read."""
    try:
        psycopg.connect(for_driver(url), connect_timeout=10).close()
    except psycopg.OperationalError as error:
        # The password is right where only the database is missing.
        return "does not exist" in str(error) and "role" not in str(error)
    return True


def _database(admin: psycopg.Connection, name: str) -> None:
    if admin.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).rowcount == 0:
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(OWNER)
            )
        )


def _extensions(connection: psycopg.Connection) -> None:
    there: dict[str, str] = dict(
        connection.execute("SELECT name, default_version FROM pg_available_extensions").fetchall()
    )
    version = there.get("vector")
    if version is None or tuple(int(part) for part in version.split(".")[:2]) < MIN_VECTOR:
        raise CannotStart(
            f"This Postgres has {'pgvector ' + version if version else 'no pgvector'}; AURA needs pgvector "
            f"{MIN_VECTOR[0]}.{MIN_VECTOR[1]} or newer. Install it on the server, or leave AURA_DATABASE_URL empty."
        )
    have = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
    for name in ("vector", "pg_trgm", "unaccent"):
        if name in there and name not in have:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name)))


def _grants(connection: psycopg.Connection, database: str) -> None:
    # CREATE for the others as well: Postgres asks it of whoever is to own a function there.
    connection.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER}, {SWEEPER}, {LOOKUP}, {SEARCHER}")
    connection.execute(f"GRANT USAGE ON SCHEMA public TO {APP}")
    named = {"database": sql.Identifier(database), "app": sql.Identifier(APP)}
    connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {app}").format(**named))
    for granted in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE ON SEQUENCES", "EXECUTE ON FUNCTIONS"):
        connection.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT {granted} TO {APP}")


def _migrate(admin_url: str) -> None:
    # Late: a warm start has nothing to migrate and saves these imports.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    engine = create_engine(for_sqlalchemy(admin_url))
    try:
        with engine.connect() as connection:
            config = Config(REPO / "alembic.ini")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
