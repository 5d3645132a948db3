"""What counting a request in its caller's limits adds to it.

    python -m bench.limits --requests 3000

A view that does nothing is asked by an API key in turn with and without the count, in one process
(no socket), over the embedded Postgres and Valkey. The difference of the medians is what the count
adds; one PING of the same Valkey by the same client is the least that any count in Redis could cost.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from uuid import UUID

from flask import Flask, g

from api.door import errors, limits
from api.door.auth import Caller
from bench.figures import load, row, table
from deploy.services import services
from pipelines.stores.organisation import quotas
from pipelines.stores.redis import get_redis
from schemas.settings import Settings, get_settings
from schemas.tables.base import DEFAULT_TENANT_ID

WARM = 200
CALLER = Caller(UUID(DEFAULT_TENANT_ID), "bench", "admin", kind="api_key", credential=UUID(int=1))


def create_app(counting: bool) -> Flask:
    """Return an application with one empty view, whose caller is known."""
    app = Flask(__name__)
    errors.register(app)
    app.before_request(lambda: setattr(g, "caller", CALLER))
    if counting:
        limits.register(app)
    app.add_url_rule("/", view_func=lambda: "")
    return app


def measure(acts: dict[str, Callable[[], object]], times: int) -> dict[str, list[float]]:
    """Return the microseconds that each act took, done in turn so that all meet the same machine."""
    found: dict[str, list[float]] = {name: [] for name in acts}
    for i in range(WARM + times):
        for name, act in acts.items():
            started = time.perf_counter_ns()
            act()
            if i >= WARM:
                found[name].append((time.perf_counter_ns() - started) / 1e3)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        settings = Settings(data_dir=Path(folder), _env_file=None)
        with services(Path(folder), settings, durable=False) as (_, database_url, redis_url):
            os.environ.update(AURA_DATA_DIR=folder, AURA_DATABASE_URL=database_url, AURA_REDIS_URL=redis_url)
            get_settings.cache_clear()
            # The rate itself must not end the measurement.
            quotas.RATES = {tier: quotas.Rates(10**7, 10**7, 10**7) for tier in quotas.RATES}
            plain, counted = (create_app(counting).test_client() for counting in (False, True))
            client = get_redis()
            assert counted.get("/").headers["RateLimit-Remaining"]
            took = measure(
                {"uncounted": lambda: plain.get("/"), "counted": lambda: counted.get("/"), "PING": client.ping},
                given.requests,
            )
    print(table(["µs", "p50", "p95", "p99", "max"], [row(name, values) for name, values in took.items()]))
    added = median(took["counted"]) - median(took["uncounted"])
    print(f"\nThe count adds {added:.0f} µs (median), {added / median(took['PING']):.1f} PINGs. Load {load()}.")


if __name__ == "__main__":
    main()
