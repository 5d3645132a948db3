"""What identity and isolation cost a request.

    python -m bench.auth [--rounds 2000]

The same request (`GET /api/documents/{id}`) to the same application over real servers, three ways in
turn: by an access token, by an API key, and bare. Bare is without any check of who asks and of rates,
with the rows read by a superuser, whom row level security does not bind. Medians, in one process.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench.figures import load, row, table
from deploy.places import places
from deploy.postgres import remove
from deploy.services import services
from schemas.settings import Settings, get_settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aura-auth-") as folder:
        data_dir = Path(folder)
        try:
            with services(data_dir, Settings(data_dir=data_dir, _env_file=None)) as urls:
                os.environ |= {
                    "AURA_DATA_DIR": folder,
                    "AURA_DATABASE_URL": urls[1],
                    "AURA_REDIS_URL": urls[2],
                    "AURA_SINGLE_TENANT": "0",
                    "AURA_SECRET_KEYS": "only-for-this-benchmark-" + uuid4().hex,
                }
                get_settings.cache_clear()
                report(measure(urls[0].rpartition("/")[0] + "/aura", args.rounds))
        finally:
            remove(places(data_dir))


def measure(admin_url: str, rounds: int) -> dict[str, list[float]]:
    """Return the times of each way in ms, taken in turn."""
    # The application reads its settings when it is imported.
    from api import create_app
    from api.door.auth import Caller
    from pipelines.stores.database import open_engine

    app = create_app()
    client = app.test_client()
    signup = {"organization_name": "Bench", "email": "bench@example.org", "password": "a horse that reads 7 books"}
    login = client.post("/api/signup", json=signup).json
    token = {"Authorization": f"Bearer {login['access_token']}"}
    _upgrade(UUID(login["tenant_id"]))
    made = client.post("/api/tenant/keys", json={"name": "bench", "scopes": ["documents:read"]}, headers=token).json
    doc_id = _document(UUID(login["tenant_id"]))
    bare = create_app()
    asking = Caller(UUID(login["tenant_id"]), login["user_id"], "admin", "user")
    bare.before_request_funcs = {None: [_as(asking)]}
    bare.after_request_funcs = {}
    unbound = open_engine(admin_url)
    client_of = {"by token": (client, token), "by API key": (client, {"X-API-Key": made["api_key"]})}
    ways: dict[str, Callable[[], int]] = {
        name: lambda who=who: who[0].get(f"/api/documents/{doc_id}", headers=who[1]).status_code
        for name, who in client_of.items()
    }
    bare_client = bare.test_client()

    def without() -> int:
        with _unbound(unbound):
            return bare_client.get(f"/api/documents/{doc_id}").status_code

    ways["bare"] = without
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 50):
        for name, ask in ways.items():
            began = time.perf_counter()
            status = ask()
            took_ms = (time.perf_counter() - began) * 1e3
            if status != 200:
                raise SystemExit(f"{name} answered {status}")
            if number >= 50:
                times[name].append(took_ms)
    unbound.dispose()
    return times


def report(times: dict[str, list[float]]) -> None:
    """Print the ways, and what they cost more than the bare one."""
    print(table(["way", "p50 ms", "p95", "p99", "max"], [row(name, values) for name, values in times.items()]))
    bare = statistics.median(times["bare"])
    for name in ("by token", "by API key"):
        print(f"{name}: {statistics.median(times[name]) - bare:+.2f} ms a request (limit 1.5)")
    print(f"load {load()}")


def _as(asking: object) -> Callable[[], None]:
    from flask import g

    def let_in() -> None:
        g.caller = asking

    return let_in


@contextmanager
def _unbound(engine: Engine) -> Iterator[None]:
    """Read documents without naming a tenant, as a role that sees all."""
    from api.documents import documents

    @contextmanager
    def session(_tenant_id: UUID) -> Iterator[Session]:
        with Session(engine, expire_on_commit=False) as opened, opened.begin():
            yield opened

    kept, documents.tenant_session = documents.tenant_session, session  # type: ignore[assignment]
    try:
        yield
    finally:
        documents.tenant_session = kept


def _upgrade(tenant_id: UUID) -> None:
    from pipelines.stores.database import tenant_session
    from pipelines.stores.organisation import quotas, tenants
    from schemas.tables.tenancy import Tier

    # The limiter counts as it does, and has nothing to refuse however fast the questions come.
    quotas.RATES = dict.fromkeys(Tier, quotas.Rates(tenant=10**6, user=10**6, key=10**6))
    quotas.forget(tenant_id)
    with tenant_session(tenant_id) as session:
        limits = {"subscription_tier": "enterprise", "max_api_calls_monthly": 2_000_000_000}
        tenants.change(session, tenants.get(session, tenant_id), limits)


def _document(tenant_id: UUID) -> UUID:
    from pipelines.stores.database import tenant_session
    from pipelines.stores.ingest import accepting
    from pipelines.stores.ingest.accepting import Upload
    from schemas.tables.knowledge import Status

    upload = Upload("bench", "bench.txt", "txt", 10, uuid4().hex, None)
    with tenant_session(tenant_id) as session:
        document, _ = accepting.accept(session, tenant_id, upload)
        document.processing_status = Status.PROCESSED
        return document.doc_id


if __name__ == "__main__":
    main()
