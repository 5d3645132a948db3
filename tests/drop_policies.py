"""Show that the isolation tests would notice: each policy is dropped once, and the suite must fail.

`python -m tests.drop_policies` (`make prove-isolation`) starts servers of its own; for each table's policy it opens
the table to everybody, runs the tests of isolation against that database, and puts the policy back.
Exits 1 where a hole went unnoticed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.places import REPO, places
from deploy.postgres import remove
from deploy.services import services
from schemas.settings import Settings

TESTS = ("tests/integration/attack/test_isolation.py", "-k", "not pooled")
"""The tests that must notice; that of the pool shows another thing and takes longest."""

FORM = "nullif(current_setting('app.tenant_id', true), '')::uuid"


def main() -> int:
    """Return 0 where every dropped policy was noticed."""
    missed = []
    with tempfile.TemporaryDirectory(prefix="aura-policies-") as folder:
        data_dir = Path(folder)
        try:
            with services(data_dir, Settings(data_dir=data_dir, _env_file=None), durable=False) as urls:
                told = {"AURA_TEST_SERVERS": "|".join(urls), "AURA_DATA_DIR": folder}
                with psycopg.connect(urls[0].rpartition("/")[0] + "/aura", autocommit=True) as admin:
                    if not _passes(told):
                        print("The tests fail with all policies in place.")
                        return 1
                    for table in _tables(admin):
                        for hole in (_without_policy, _without_force, _without_check):
                            hole(admin, table)
                            noticed = not _passes(told)
                            _restore(admin, table)
                            print(f"{'noticed' if noticed else 'MISSED '}  {table}: {hole.__doc__}", flush=True)
                            missed += [] if noticed else [table]
        finally:
            remove(places(data_dir))
    print(f"{len(missed)} holes went unnoticed.")
    return 1 if missed else 0


def _tables(admin: psycopg.Connection) -> list[str]:
    rows = admin.execute(
        "SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
        " WHERE p.polname = 'own_tenant' AND NOT c.relispartition ORDER BY 1"
    )
    return [row[0] for row in rows.fetchall()]


def _without_policy(admin: psycopg.Connection, table: str) -> None:
    """its policy lets every row through."""
    _execute(admin, "DROP POLICY own_tenant ON {}", table)
    _execute(admin, "CREATE POLICY own_tenant ON {} TO aura_app USING (true) WITH CHECK (true)", table)


def _without_force(admin: psycopg.Connection, table: str) -> None:
    """its owner is not bound."""
    _execute(admin, "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", table)


def _without_check(admin: psycopg.Connection, table: str) -> None:
    """rows of others may be written."""
    _execute(admin, "DROP POLICY own_tenant ON {}", table)
    _execute(admin, f"CREATE POLICY own_tenant ON {{}} TO aura_app USING (tenant_id = {FORM}) WITH CHECK (true)", table)


def _restore(admin: psycopg.Connection, table: str) -> None:
    _execute(admin, "ALTER TABLE {} FORCE ROW LEVEL SECURITY", table)
    _execute(admin, "DROP POLICY own_tenant ON {}", table)
    _execute(
        admin,
        f"CREATE POLICY own_tenant ON {{}} TO aura_app USING (tenant_id = {FORM}) WITH CHECK (tenant_id = {FORM})",
        table,
    )


def _execute(admin: psycopg.Connection, statement: str, table: str) -> None:
    admin.execute(sql.SQL(statement).format(sql.Identifier(table)))


def _passes(told: dict[str, str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", *TESTS]
    return (
        subprocess.run(command, cwd=REPO, env={**os.environ, **told}, capture_output=True, check=False).returncode == 0
    )


if __name__ == "__main__":
    sys.exit(main())
