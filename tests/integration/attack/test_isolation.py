"""No tenant sees another's rows, whatever the code above forgets."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from pipelines.stores import database
from pipelines.stores.database import (
    PrivilegedRole,
    open_engine,
    operator_session,
    refuse_privileged_role,
    tenant_session,
)
from pipelines.stores.knowledge import documents
from pipelines.stores.organisation.tenant_tables import tenant_tables
from schemas.errors.requests import NotFound
from schemas.tables.base import Base
from schemas.tables.knowledge import Document
from tests.integration.attack.canaries import Marked, fill
from tests.integration.stores.conftest import Library

ACROSS_TENANTS = {
    "admit_documents": "aura_sweeper",
    "take_due_stages": "aura_sweeper",
    "take_due_turns": "aura_sweeper",
    "take_due_sentences": "aura_sweeper",
    "abandoned_turns": "aura_sweeper",
    "turns_are_due": "aura_sweeper",
    "take_due_intakes": "aura_sweeper",
    "take_untold_batches": "aura_sweeper",
    "expired_uploads": "aura_sweeper",
    "take_due_edits": "aura_sweeper",
    "large_corpora": "aura_sweeper",
    "bm25_document_chunks": "aura_searcher",
    "take_due_evaluations": "aura_sweeper",
    "find_login": "aura_lookup",
    "tenant_by_subdomain": "aura_lookup",
    "tenant_by_widget": "aura_lookup",
    "list_tenants": "aura_lookup",
    "fallen_credentials": "aura_lookup",
    "take_due_deletions": "aura_lookup",
    "take_due_mails": "aura_lookup",
    "forget_expired": "aura_lookup",
    "take_due_webhooks": "aura_sweeper",
    "forget_webhooks": "aura_lookup",
    "costs_of_all": "aura_sweeper",
    "latency_of_all": "aura_sweeper",
    "take_due_recordings": "aura_sweeper",
    "expired_recordings": "aura_sweeper",
}
"""The functions that act across tenants, and whose rights each has."""

TENANT_TABLES = [table.name for table in tenant_tables()]

UNIQUE_OVER_ALL = {"uq_tenants_subdomain"}
"""Unique over all tenants, as an address is; whoever founds a tenant may learn that it is taken."""


@pytest.fixture(scope="module")
def pair(servers: object, admin: psycopg.Connection) -> tuple[Marked, Marked]:
    """Return two tenants that have a marked row in every table."""
    found = []
    for _ in range(2):
        tenant_id = uuid4()
        admin.execute(
            "INSERT INTO tenants (tenant_id, organization_name, admin_email) VALUES (%s, '', '')", (tenant_id,)
        )
        found.append(fill(admin, tenant_id))
    return found[0], found[1]


def test_every_tenant_table_forces_row_level_security_both_ways(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,"
        " p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
        " LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'own_tenant'"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    ).fetchall()
    assert {name for name, *_ in rows} >= set(TENANT_TABLES)
    assert [name for name, forced, policy in rows if not (forced and policy)] == []


def test_only_listed_functions_act_across_tenants(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        "SELECT p.proname, r.rolname, r.rolbypassrls, p.proconfig FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner"
        " WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace"
    ).fetchall()
    assert {row[0]: row[1] for row in rows} == ACROSS_TENANTS
    for _, _, bypasses, config in rows:
        assert not bypasses
        assert config == ["search_path=pg_catalog, public"]


def test_nobody_but_the_app_may_call_what_acts_across_tenants(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        "SELECT p.proname, r.rolname FROM pg_proc p"
        " CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
        " LEFT JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace AND a.grantee <> p.proowner"
    ).fetchall()
    assert {name for name, _ in rows} == ACROSS_TENANTS.keys()
    assert {row for row in rows if row[1] != "aura_app"} == set()


def test_keys_and_references_name_the_tenant_first(admin: psycopg.Connection) -> None:
    """A key of one column would tell whether an id exists in another tenant."""
    constraints = admin.execute(
        "SELECT c.conname, c.contype, r.relname,"
        " array(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, i)"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.i) FROM pg_constraint c"
        " JOIN pg_class r ON r.oid = c.conrelid WHERE c.contype IN ('p', 'u', 'f') AND NOT r.relispartition"
    ).fetchall()
    of_tenants = [row for row in constraints if row[2] in TENANT_TABLES]
    assert {row[2] for row in of_tenants if row[1] == "p"} == set(TENANT_TABLES)
    assert [row for row in of_tenants if row[3][0] != "tenant_id" and row[0] not in UNIQUE_OVER_ALL] == []
    indexes = admin.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexdef LIKE 'CREATE UNIQUE%%'",
        (TENANT_TABLES,),
    ).fetchall()
    assert [row for row in indexes if "(tenant_id" not in row[1] and row[0] not in UNIQUE_OVER_ALL] == []


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_without_a_tenant_no_row_is_seen(pair: tuple[Marked, Marked], table: str) -> None:
    with operator_session() as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_rows_of_another_tenant_are_not_seen(pair: tuple[Marked, Marked], table: str) -> None:
    mine, other = pair
    with tenant_session(mine.tenant_id) as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table} WHERE tenant_id = :t"), {"t": mine.tenant_id}) > 0
        assert session.scalar(text(f"SELECT count(*) FROM {table} WHERE tenant_id <> :t"), {"t": mine.tenant_id}) == 0
        mark = f"%{other.canary}%"
        assert session.scalar(text(f"SELECT count(*) FROM {table} r WHERE r::text LIKE :mark"), {"mark": mark}) == 0


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_a_row_can_not_be_moved_or_copied_to_another_tenant(pair: tuple[Marked, Marked], table: str) -> None:
    mine, other = pair
    columns = [column.name for column in Base.metadata.tables[table].columns if column.name != "tenant_id"]
    names = ", ".join(columns)
    for statement in (
        f"INSERT INTO {table} (tenant_id, {names}) SELECT CAST(:other AS uuid), {names} FROM {table} LIMIT 1",
        f"UPDATE {table} SET tenant_id = :other",
    ):
        # The log takes no changes at all; every other table says that the row is not ours to write.
        with (
            pytest.raises(ProgrammingError, match=r"row-level security|permission denied"),
            tenant_session(mine.tenant_id) as session,
        ):
            session.execute(text(statement), {"other": uuid4() if table in ROOTS else other.tenant_id})


ROOTS = ("tenants", "tenant_deletions")
"""Tables with one row a tenant: a copy goes to a tenant that has none yet."""


def test_a_foreign_document_is_as_unknown_as_a_missing_one(new_tenant: Callable[[], UUID]) -> None:
    owner, other = new_tenant(), new_tenant()
    doc_id = Library().accept(owner)
    with pytest.raises(NotFound), tenant_session(other) as session:
        documents.get(session, doc_id)
    with pytest.raises(NotFound), tenant_session(other) as session:
        documents.remove(session, doc_id)


def test_a_row_can_not_be_written_for_another_tenant(new_tenant: Callable[[], UUID]) -> None:
    mine, other = new_tenant(), new_tenant()
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_session(mine) as session:
        session.execute(
            text("INSERT INTO agents (tenant_id, assistant_key, name) VALUES (:t, 'spy', 'Spy')"), {"t": other}
        )


def test_a_pooled_connection_forgets_its_tenant(
    new_tenant: Callable[[], UUID], servers: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight threads over two connections, commits and rollbacks at random, 5,000 questions: no other's row."""
    engine = open_engine(servers[1], pool_size=1, wait_s=120)
    monkeypatch.setattr(database, "get_engine", lambda: engine)
    tenants = [new_tenant() for _ in range(8)]
    own = {tenant: Library().accept(tenant) for tenant in tenants}
    chance = random.Random(7)
    plan = [(chance.choice(tenants), chance.random()) for _ in range(5_000)]

    def look(planned: tuple[UUID, float]) -> int:
        tenant, fate = planned
        try:
            with tenant_session(tenant) as session:
                seen = set(session.scalars(select(Document.doc_id)))
                if fate < 0.3:
                    raise InterruptedError
                if fate < 0.4:
                    session.execute(text("SELECT 1 / 0"))
        except (InterruptedError, DBAPIError):
            pass
        return len(seen ^ {own[tenant]})

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(look, plan)) == 0
    assert engine.pool.checkedin() <= 2  # type: ignore[attr-defined]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM documents")) == 0
    engine.dispose()


def test_a_role_that_could_bypass_is_refused(servers: tuple[str, str, str]) -> None:
    engine = create_engine(servers[0].replace("postgresql://", "postgresql+psycopg://"))
    with pytest.raises(PrivilegedRole, match="bypasses row level security"):
        refuse_privileged_role(engine)
    engine.dispose()
