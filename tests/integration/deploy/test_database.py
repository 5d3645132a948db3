"""Preparing a Postgres may happen again, at once, and by admins of several kinds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from deploy.database import connected, head, prepare, require_schema, revision, role_of, with_database
from deploy.places import Places
from deploy.services import choose, prepared
from schemas.errors.work import CannotStart
from schemas.settings import Settings

NEW = "aura_prepared"


@pytest.fixture
def unprepared(servers: tuple[str, str, str]) -> Iterator[str]:
    """Yield a superuser's URL of a new, empty database."""
    with connected(servers[0]) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NEW)))
    yield with_database(servers[0], NEW)
    with connected(servers[0]) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(NEW)))


def test_preparing_again_changes_nothing(servers: tuple[str, str, str]) -> None:
    before = _catalog(servers[0])

    again = prepare(servers[0])

    assert again == servers[1]
    assert _catalog(servers[0]) == before
    with connected(again) as connection:
        assert revision(connection) == head()


def test_two_starters_prepare_one_database(unprepared: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(prepare, (unprepared, unprepared))

    assert first == second
    with connected(first) as connection:
        assert revision(connection) == head()


def test_an_older_database_loses_what_everybody_might_call(unprepared: str) -> None:
    functions = {"large_corpora": "(bigint)", "bm25_document_chunks": "(text, int, uuid, text, jsonb, float)"}
    anybody = "SELECT has_function_privilege('pg_monitor', %s, 'EXECUTE')"
    prepare(unprepared)
    with connected(unprepared) as connection:
        for name, arguments in functions.items():
            connection.execute(f"GRANT EXECUTE ON FUNCTION {name}{arguments} TO PUBLIC")
        connection.execute("UPDATE alembic_version SET version_num = '0013'")

    prepare(unprepared)

    with connected(unprepared) as connection:
        assert revision(connection) == head()
        may = [connection.execute(anybody, (name + of,)).fetchone() for name, of in functions.items()]
        assert may == [(False,), (False,)]


def test_the_app_owns_nothing_and_passes_no_policy(servers: tuple[str, str, str]) -> None:
    role = role_of(servers[1])

    assert (role.name, role.privileged) == ("aura_app", False)
    with connected(servers[1]) as connection:
        # Temporary tables of other connections, which COPY goes through, are no tables of AURA.
        owned = connection.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE relowner = current_user::regrole AND nspname NOT LIKE 'pg_%'"
        ).fetchall()
        assert owned == []
        for forbidden in ("CREATE TABLE mine ()", "SET ROLE aura_owner", "SET ROLE aura_lookup", "CREATE ROLE other"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)


@pytest.mark.parametrize("attribute", ["SUPERUSER", "BYPASSRLS", "CREATEROLE", "IN ROLE aura_owner"])
def test_a_role_that_could_pass_policies_is_known_as_such(servers: tuple[str, str, str], attribute: str) -> None:
    to = urlsplit(servers[0])
    with connected(servers[0]) as connection:
        connection.execute(f"CREATE ROLE mighty LOGIN PASSWORD 'm' {attribute}")
        try:
            assert role_of(f"postgresql://mighty:m@{to.hostname}:{to.port}/aura").privileged
        finally:
            connection.execute("DROP ROLE mighty")


def test_the_owner_has_none_of_the_sweepers_rights(servers: tuple[str, str, str]) -> None:
    with connected(servers[0]) as connection:
        (inherits,) = connection.execute("SELECT pg_has_role('aura_owner', 'aura_sweeper', 'USAGE')").fetchone() or ()
        (may_become,) = connection.execute("SELECT pg_has_role('aura_owner', 'aura_sweeper', 'SET')").fetchone() or ()

    assert (inherits, may_become) == (False, True)


def test_a_role_that_may_create_roles_and_databases_is_enough(servers: tuple[str, str, str]) -> None:
    """Managed Postgres gives no superuser; pgvector is then installed beforehand."""
    with connected(servers[0]) as connection:
        connection.execute("CREATE ROLE landlord LOGIN CREATEROLE CREATEDB PASSWORD 'rent'")
        connection.execute(
            "GRANT aura_owner, aura_app, aura_sweeper, aura_lookup, aura_searcher TO landlord WITH ADMIN OPTION"
        )
        connection.execute("CREATE DATABASE managed OWNER landlord")
        with connected(with_database(servers[0], "managed")) as there:
            there.execute("CREATE EXTENSION vector")
        to = urlsplit(servers[0])
        landlord = f"postgresql://landlord:rent@{to.hostname}:{to.port}/managed"
        app = with_database(servers[1], "managed")
        try:
            assert prepare(landlord, app) == app
            with connected(app) as there:
                assert revision(there) == head()
        finally:
            connection.execute("DROP DATABASE managed WITH (FORCE)")
            connection.execute("DROP OWNED BY landlord")
            connection.execute("DROP ROLE landlord")


def test_a_privileged_url_prepares_and_the_app_gets_its_own(servers: tuple[str, str, str], unprepared: str) -> None:
    settings = Settings(database_url=unprepared, database_admin_url="", redis_url=servers[2], _env_file=None)

    found = choose(_nowhere(), settings)

    assert found.programs == ()
    assert urlsplit(prepared(found)).username == "aura_app"


def test_an_unprivileged_url_alone_is_used_as_it_is(servers: tuple[str, str, str]) -> None:
    settings = Settings(database_url=servers[1], database_admin_url="", redis_url=servers[2], _env_file=None)

    assert prepared(choose(_nowhere(), settings)) == servers[1]


def test_an_unprivileged_url_without_the_schema_says_what_is_needed(
    unprepared: str, servers: tuple[str, str, str]
) -> None:
    with pytest.raises(CannotStart, match="AURA_DATABASE_ADMIN_URL"):
        require_schema(with_database(servers[1], NEW))


def test_a_wrong_password_is_said_without_repeating_it(servers: tuple[str, str, str]) -> None:
    to = urlsplit(servers[0])
    with pytest.raises(CannotStart, match="did not let postgres in") as refused:
        prepare(f"postgresql://postgres:not-the-one@{to.hostname}:{to.port}/postgres")

    assert "not-the-one" not in refused.value.detail


def _nowhere() -> Places:
    """Return places that must not be used, as nothing embedded is to start."""
    return Places(Path("/nonexistent"))


def _catalog(admin_url: str) -> list[tuple[object, ...]]:
    """Return roles, memberships, extensions, and rights on AURA's tables."""
    with connected(with_database(admin_url, "aura")) as connection:
        queries = (
            "SELECT rolname, rolcanlogin, rolsuper, rolpassword FROM pg_authid ORDER BY 1",
            "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members ORDER BY 1, 2",
            "SELECT extname, extversion FROM pg_extension ORDER BY 1",
            "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
            "SELECT defaclrole, defaclobjtype::text, defaclacl::text FROM pg_default_acl ORDER BY 1, 2",
        )
        return [row for query in queries for row in connection.execute(query)]
