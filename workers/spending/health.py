"""Watches calls of providers and tells the tenants they were made for when one fails them, and when it works again."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from uuid import UUID

import structlog

from pipelines.stores import webhooks
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import provider_health
from pipelines.stores.operations.provider_health import WINDOW_S, Circuit, Verdict
from pipelines.stores.organisation import provider_keys
from pipelines.stores.redis import get_redis
from schemas.errors.providers import ProviderUnavailable, RateLimited, StoreUnavailable
from schemas.errors.tree import AuraError
from schemas.events import Event, EventName, Subject
from workers import announce, send

LONG_WAIT_S = 10.0
"""A provider that asks for a shorter pause is working at its limit, not failing."""

AWAY_S = 5.0
"""How long nothing is told after a store did not answer: a call must not wait for what it can do without."""

MAX_COUNTED = 8192
"""Tenants' providers whose calls are counted; beyond them counting begins anew."""

log = structlog.get_logger()


@contextmanager
def watch(tenant_id: UUID, kind: str, provider: str) -> Iterator[None]:
    """Note how a call of a provider ends. Never fails: what is raised is the call's own.

    An error that is not the provider's, such as a cancelled answer, says nothing about it.
    """
    try:
        yield
    except (ProviderUnavailable, RateLimited) as error:
        if not isinstance(error, RateLimited) or error.retry_after_s >= LONG_WAIT_S:
            _seen().failed(tenant_id, kind, provider, error)
        raise
    else:
        _seen().worked(tenant_id, kind, provider)


def circuit(tenant_id: UUID, kind: str, provider: str, *, own_key: bool) -> Circuit:
    """Return the circuit of a provider that a tenant reaches by its own key or by the deployment's."""
    return Circuit(kind, provider, tenant_id if own_key else None)


def doubt(found: Circuit) -> None:
    """Say that a degraded provider is tried by this process: how the call ends is told to all."""
    _seen().doubt(found)


def settle() -> None:
    """End the degradation of what has not failed for long, though nobody has called it. Called now and then."""
    client = get_redis()
    for circuit in provider_health.degraded(client):
        _tell(EventName.PROVIDER_RECOVERED, circuit, provider_health.settle(client, circuit))


class Seen:
    """What this process has seen of the providers it calls. Safe to share among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Calls that worked since the last that failed, and since when they are counted.
        self._worked: dict[tuple[UUID | None, str, str], tuple[int, float]] = {}
        self._degraded: set[Circuit] = set()
        self._away_until = 0.0

    def worked(self, tenant_id: UUID, kind: str, provider: str) -> None:
        """Count it here, and in Redis only where the provider is known to be degraded."""
        with self._lock:
            for owner in (None, tenant_id):
                self._count(owner, kind, provider)
            doubtful = self._degraded & {Circuit(kind, provider), Circuit(kind, provider, tenant_id)}
        if doubtful:
            self._reaching(lambda: self._recovering(tenant_id, kind, provider))

    def failed(self, tenant_id: UUID, kind: str, provider: str, error: AuraError) -> None:
        """Count it in Redis, with the calls that worked before it."""
        self._reaching(lambda: self._failing(tenant_id, kind, provider, error))

    def doubt(self, circuit: Circuit) -> None:
        """Take a circuit for degraded, as another process found it."""
        with self._lock:
            self._degraded.add(circuit)

    def _recovering(self, tenant_id: UUID, kind: str, provider: str) -> None:
        circuit = _circuit(tenant_id, kind, provider)
        with self._lock:
            if circuit not in self._degraded:
                return
        verdict = provider_health.worked(get_redis(), circuit)
        self._note(circuit, verdict)
        _tell(EventName.PROVIDER_RECOVERED, circuit, verdict)

    def _failing(self, tenant_id: UUID, kind: str, provider: str, error: AuraError) -> None:
        circuit = _circuit(tenant_id, kind, provider)
        with self._lock:
            worked, since = self._worked.pop((circuit.tenant_id, kind, provider), (0, 0.0))
        recent = worked if time.monotonic() - since <= WINDOW_S else 0
        verdict = provider_health.failed(get_redis(), circuit, tenant_id, recent)
        self._note(circuit, verdict)
        _tell(EventName.PROVIDER_DEGRADED, circuit, verdict, code=error.code)

    def _count(self, owner: UUID | None, kind: str, provider: str) -> None:
        now, about = time.monotonic(), (owner, kind, provider)
        count, since = self._worked.get(about, (0, now))
        if len(self._worked) >= MAX_COUNTED:
            self._worked.clear()
        self._worked[about] = (count + 1, since) if now - since <= WINDOW_S else (1, now)

    def _note(self, circuit: Circuit, verdict: Verdict) -> None:
        with self._lock:
            if verdict.degraded:
                self._degraded.add(circuit)
            else:
                self._degraded.discard(circuit)

    def _reaching(self, act: Callable[[], None]) -> None:
        if time.monotonic() < self._away_until:
            return
        try:
            act()
        except StoreUnavailable:
            self._away_until = time.monotonic() + AWAY_S
            log.warning("provider health not noted")


def _circuit(tenant_id: UUID, kind: str, provider: str) -> Circuit:
    """Return by whose key the tenant reaches the provider. Raises StoreUnavailable."""
    own = any(str(each) == provider for each, _ in provider_keys.kept(tenant_id))
    return Circuit(kind, provider, tenant_id if own else None)


def _tell(name: EventName, circuit: Circuit, verdict: Verdict, **data: object) -> None:
    """Tell those whom it concerns, over their streams and to their webhooks."""
    if not verdict.tell:
        return
    about = {"kind": circuit.kind, "provider": circuit.provider, "own_key": circuit.tenant_id is not None, **data}
    log.warning(name.value, **about, tenants=len(verdict.tell))
    told = [Event(name, Subject.tenant(tenant), {"tenant_id": str(tenant), **about}) for tenant in verdict.tell]
    announce.many(told)
    for event in told:
        tenant = event.subject.tenant_id
        with tenant_session(tenant) as session:
            hooked = webhooks.enqueue(session, tenant, [event])
        if hooked:
            send.webhooks(tenant)


@lru_cache
def _seen() -> Seen:
    return Seen()
