"""The deployment's secret is changed without downtime: both open, all is sealed again, the old one is dropped."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from pipelines.stores import sealing
from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import accepting
from pipelines.stores.knowledge import documents
from pipelines.stores.operations import mails
from pipelines.stores.organisation import provider_keys
from pipelines.stores.organisation.provider_keys import Resealed
from schemas.errors.callers import Unsealable
from schemas.errors.requests import NotOffered
from schemas.requests.organisation.providers import KeyedProvider
from tests.integration.provider_keys.conftest import keep
from tests.integration.relay.valkey import wait_until

OLD, NEW = "the-old-secret-that-is-long-enough-to-be-one", "the-new-secret-that-is-long-enough-to-be-one"


@pytest.fixture(autouse=True)
def nothing_else_is_sealed(admin: psycopg.Connection, configure: Callable[..., None]) -> None:
    admin.execute("UPDATE tenants SET api_keys = '{}'")
    admin.execute("DELETE FROM outgoing_mails")
    admin.execute("DELETE FROM webhook_endpoints")
    for table in ("documents", "batches", "uploads"):
        admin.execute(f"UPDATE {table} SET password_sealed = NULL WHERE password_sealed IS NOT NULL")
    configure(AURA_SECRET_KEYS=OLD)


def keys_of(tenant_id: UUID) -> dict[str, str]:
    kept = provider_keys.kept(tenant_id)
    return {provider.value: provider_keys.opened(sealed, tenant_id, provider) for provider, sealed in kept}


def locked_file(tenant_id: UUID) -> UUID:
    """Return a document whose file came with the password `Sesame`."""
    upload = accepting.Upload("u", "a.pdf", "pdf", 1, "0" * 64, password="Sesame")
    with tenant_session(tenant_id) as session:
        return accepting.accept(session, tenant_id, upload)[0].doc_id


def password_of(tenant_id: UUID, doc_id: UUID) -> str | None:
    with tenant_session(tenant_id) as session:
        return accepting.password_of(documents.get(session, doc_id))


def mail(tenant_id: UUID) -> UUID:
    with tenant_session(tenant_id) as session:
        return mails.queue(session, tenant_id, "ada@example.org", "Your new password", "the token")


def text_of(tenant_id: UUID, mail_id: UUID) -> str:
    with tenant_session(tenant_id) as session:
        claimed = mails.claim(session, mail_id)
    assert claimed
    return mails.opened(claimed).text


def test_after_sealing_again_the_new_secret_alone_opens_everything(
    configure: Callable[..., None],
    new_tenant: Callable[[], UUID],
    admin: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenants = [new_tenant() for _ in range(5)]
    [(count,)] = admin.execute("SELECT count(*) FROM tenants").fetchall()
    monkeypatch.setattr(provider_keys, "PAGE", max(2, count // 5))  # Several pages, and they cut through one moment.
    admin.execute("UPDATE tenants SET created_at = now()")
    for tenant_id in tenants:
        keep(tenant_id, KeyedProvider.OPENAI, f"sk-{tenant_id}")
        keep(tenant_id, KeyedProvider.GROQ, f"gsk-{tenant_id}")
    posted = mail(tenants[0])
    locked = locked_file(tenants[1])

    configure(AURA_SECRET_KEYS=f"{NEW},{OLD}")
    keep(tenants[0], KeyedProvider.GROQ, "set-while-both-are-known")
    assert keys_of(tenants[1]) == {"openai": f"sk-{tenants[1]}", "groq": f"gsk-{tenants[1]}"}
    done = provider_keys.reseal_all()
    assert (done.keys, done.mails, done.passwords, done.unopened, done.contended) == (9, 1, 1, 0, 0)
    assert done.tenants >= 5
    again = provider_keys.reseal_all()
    assert (again.keys, again.mails) == (0, 0)

    configure(AURA_SECRET_KEYS=NEW)
    for tenant_id in tenants[1:]:
        assert keys_of(tenant_id) == {"openai": f"sk-{tenant_id}", "groq": f"gsk-{tenant_id}"}
    assert keys_of(tenants[0])["groq"] == "set-while-both-are-known"
    assert text_of(tenants[0], posted) == "the token"
    assert password_of(tenants[1], locked) == "Sesame"


def test_without_sealing_again_the_new_secret_alone_opens_nothing(configure: Callable[..., None], tenant: UUID) -> None:
    keep(tenant, KeyedProvider.OPENAI, "sk-0123456789")
    posted = mail(tenant)
    configure(AURA_SECRET_KEYS=NEW)
    with pytest.raises(NotOffered, match="openai cannot be opened"):
        keys_of(tenant)
    with pytest.raises(Unsealable):
        text_of(tenant, posted)
    done = provider_keys.reseal_all()
    assert (done.keys, done.mails, done.unopened) == (0, 0, 2)
    configure(AURA_SECRET_KEYS=f"{NEW},{OLD}")
    assert keys_of(tenant) == {"openai": "sk-0123456789"}


def test_a_key_that_is_set_meanwhile_is_not_overwritten_by_the_old_one(
    configure: Callable[..., None], servers: tuple[str, str, str], admin: psycopg.Connection, tenant: UUID
) -> None:
    keep(tenant, KeyedProvider.OPENAI, "sk-the-first-one")
    configure(AURA_SECRET_KEYS=f"{NEW},{OLD}")
    newer = sealing.seal("sk-the-second-one", tenant, "provider_key:openai")
    change = "UPDATE tenants SET api_keys = jsonb_set(api_keys, '{openai,sealed}', to_jsonb(%s::text))"

    def waits() -> bool:
        question = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE tenants%'"
        )
        return admin.execute(question).fetchone() == (1,)

    with ThreadPoolExecutor(1) as pool, psycopg.connect(servers[0].rpartition("/")[0] + "/aura") as writer:
        writer.execute(change + " WHERE tenant_id = %s", (newer, tenant))
        running = pool.submit(provider_keys.reseal_all)
        wait_until(waits)  # It has read the first key, and is about to write it back.
        writer.commit()
        done: Resealed = running.result(timeout=120)
    assert (done.keys, done.contended) == (0, 0)
    assert keys_of(tenant) == {"openai": "sk-the-second-one"}
