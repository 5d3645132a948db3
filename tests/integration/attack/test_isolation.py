"""No tenant sees another's rows, whatever the code above forgets."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import ProgrammingError

import schemas.identity
import schemas.records  # noqa: F401 (fills the metadata)
from pipelines.stores import documents
from pipelines.stores.database import (
    PrivilegedRole,
    get_engine,
    operator_session,
    refuse_privileged_role,
    tenant_session,
)
from schemas.base import Base
from schemas.errors import NotFound
from schemas.knowledge import Document

ACROSS_TENANTS = {
    "admit_documents": "aura_sweeper",
    "take_due_stages": "aura_sweeper",
    "take_due_turns": "aura_sweeper",
    "take_due_sentences": "aura_sweeper",
    "find_login": "aura_lookup",
    "tenant_by_subdomain": "aura_lookup",
    "list_tenants": "aura_lookup",
    "fallen_credentials": "aura_lookup",
    "take_due_deletions": "aura_lookup",
    "take_due_mails": "aura_lookup",
    "forget_expired": "aura_lookup",
}
"""The functions that act across tenants, and whose rights each has."""

TENANT_TABLES = sorted(table.name for table in Base.metadata.tables.values() if "tenant_id" in table.columns)


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


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_without_a_tenant_no_row_is_seen(servers: object, tenant: UUID, library, table: str) -> None:
    library.store(tenant, ["something"])
    with operator_session() as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


def test_a_foreign_document_is_as_unknown_as_a_missing_one(library, new_tenant: Callable[[], UUID]) -> None:
    owner, other = new_tenant(), new_tenant()
    doc_id = library.accept(owner)
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


def test_a_pooled_connection_forgets_its_tenant(library, new_tenant: Callable[[], UUID]) -> None:
    """Eight threads over few connections, commits and rollbacks mixed: nobody sees another's row."""
    tenants = [new_tenant() for _ in range(4)]
    own = {tenant: library.accept(tenant) for tenant in tenants}

    def look(i: int) -> bool:
        tenant = tenants[i % len(tenants)]
        try:
            with tenant_session(tenant) as session:
                seen = set(session.scalars(select(Document.doc_id)))
                if i % 3 == 0:
                    raise InterruptedError
        except InterruptedError:
            pass
        return seen == {own[tenant]}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(look, range(400)))
    with get_engine().connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM documents")) == 0


def test_a_role_that_could_bypass_is_refused(servers: tuple[str, str, str]) -> None:
    engine = create_engine(servers[0].replace("postgresql://", "postgresql+psycopg://"))
    with pytest.raises(PrivilegedRole, match="bypasses row level security"):
        refuse_privileged_role(engine)
    engine.dispose()
