"""What tests leave behind in the servers that they share: whole stacks begin without it."""

import psycopg
import redis

from schemas.tables.base import DEFAULT_TENANT_ID

WORK = ("batches", "documents", "turns", "webhook_deliveries", "outgoing_mails", "evaluations")
"""Tables whose rows a stack would go on working at, whoever's they are."""

COUNTED = ("corpus_models", "corpus_sizes", "corpus_languages", "term_frequencies")


def clear(servers: tuple[str, str, str]) -> None:
    """Delete the work of all tenants, what the default tenant knows, and every message and event.

    Else a stack embeds, counts and answers from what others have sent: models that nobody here has among it.
    """
    with psycopg.connect(servers[0].rpartition("/")[0] + "/aura", autocommit=True) as admin:
        for table in WORK:
            admin.execute(f"DELETE FROM {table}")
        for table in COUNTED:
            admin.execute(f"DELETE FROM {table} WHERE tenant_id = %s", (DEFAULT_TENANT_ID,))
    with redis.Redis.from_url(servers[2]) as store:
        store.flushall()
