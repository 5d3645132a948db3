"""What a person who is signed in reads: held to the rates of a minute, and no call of the month."""

import psycopg

from pipelines.stores.organisation import quotas
from tests.integration.people import Person, code


def test_a_used_up_month_closes_no_page_and_takes_nothing_new(ada: Person, admin: psycopg.Connection) -> None:
    admin.execute("UPDATE tenants SET max_api_calls_monthly = 3 WHERE tenant_id = %s", (ada.tenant_id,))
    quotas._known.clear()
    assert {ada.get("/api/documents").status_code for _ in range(10)} == {200}
    said = [code(ada.post("/api/batches", json={"name": "spring"})) for _ in range(5)]
    assert said[-1] == (429, "quota_exceeded")
    assert ada.get("/api/documents").status_code == 200
    used = (ada.get("/api/tenant/usage").json or {})["api_calls"]["used"]
    assert used <= 3
