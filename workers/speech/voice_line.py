"""Who listens or speaks for a tenant, in the order in which they are asked, and what is noted of how that went."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias
from uuid import UUID

import structlog

from pipelines import providers
from pipelines.stores.operations import shunned
from pipelines.stores.operations.breaker import Look
from pipelines.stores.operations.provider_health import Circuit
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import voice_policies
from pipelines.turn.generating.routing import Candidate, Policy
from pipelines.turn.speaking import lines
from schemas.errors.callers import BudgetExceeded
from schemas.errors.providers import ProviderUnavailable, RateLimited, StoreUnavailable
from schemas.errors.requests import InvalidRequest, NotOffered
from schemas.errors.tree import AuraError
from schemas.settings import get_settings
from workers import wiring
from workers.process.trusted import Trusted
from workers.spending import circuits, health
from workers.spending.circuits import Known

Work: TypeAlias = Literal["transcription", "speech"]

KINDS: Mapping[Work, Literal["transcriber", "speaker"]] = {"transcription": "transcriber", "speech": "speaker"}
"""What providers do the work; the work itself is what calls, prices and circuits go by."""

FAILS_OVER = (ProviderUnavailable, RateLimited, NotOffered, InvalidRequest, BudgetExceeded)
"""After these the next one may do better."""

POLICY_TRUSTED_S = 3.0
"""Seconds for which a tenant's policy is not read again."""

log = structlog.get_logger()


class Asked:
    """The providers of one piece of work, as they are asked one after the other until one does it."""

    def __init__(self, tenant_id: UUID, work: Work, subject_id: UUID, voice_id: str | None = None) -> None:
        """Find who may do it. Raises NotOffered where nobody is set up, and StoreUnavailable."""
        self.errors: list[AuraError] = []
        self._tenant_id, self._work, self._subject_id = tenant_id, work, subject_id
        self._all = known(tenant_id, work)
        self._by_candidate = {one.candidate: one for one in self._all}
        remote = [one for one in self._all if not one.candidate.local]
        self._several = len(self._all) > 1
        self.waiting = lines.line(
            tuple(self._by_candidate),
            _policy(tenant_id, work) if remote else Policy(),
            shunned=_shunned(tenant_id, subject_id) if remote and self._several else (),
            by_time=work == "transcription" and not _is_named(work),
            is_wished=lambda one: bool(voice_id) and providers.has_voice(one.provider, voice_id or ""),
        )

    def next(self) -> Known | None:
        """Return whom to ask next, None where nobody is left.

        What runs here stands in for failures, not for a used-up budget.
        """
        while self.waiting:
            one, self.waiting = self._by_candidate[self.waiting[0]], self.waiting[1:]
            if one.candidate.local and any(isinstance(error, BudgetExceeded) for error in self.errors):
                continue
            if circuits.may_call(one):
                return one
        return None

    def failed(self, one: Known, error: AuraError) -> None:
        """Note that somebody did not do it; the same turn asks others first from now on."""
        self.errors.append(error)
        circuits.failed(one, error)
        self.shun(one)
        log.info(f"no {self._work} from a provider", **one.candidate.named, code=error.code, detail=error.detail)

    def shun(self, one: Known) -> None:
        """Have the same turn ask others first from now on."""
        if one.circuit is None or not self._several:
            return
        try:
            shunned.add(get_redis(), self._tenant_id, self._subject_id, one.candidate.provider)
        except StoreUnavailable:
            log.warning("a failing provider is not noted", provider=one.candidate.provider)

    def nobody(self, otherwise: type[AuraError]) -> AuraError:
        """Return why it was not done: what all say, where they say the same, else `otherwise`."""
        for told in (BudgetExceeded, InvalidRequest, NotOffered):
            if self.errors and all(isinstance(error, told) for error in self.errors):
                return self.errors[0]
        budget = next((error for error in self.errors if isinstance(error, BudgetExceeded)), None)
        if not self._all or budget is not None:
            return budget or NotOffered()
        if not self.errors and not any(one.candidate.state == "open" for one in self._all):
            return NotOffered(f"The policy of this organisation allows none of the providers of {self._work}.")
        return otherwise()


def known(tenant_id: UUID, work: Work) -> list[Known]:
    """Return what may do the work, with what is known of it, in the deployment's order. Raises NotOffered."""
    found = wiring.voices(tenant_id, KINDS[work])
    made = [None if one.local else health.circuit(tenant_id, work, one.provider, own_key=one.own_key) for one in found]
    asked = [circuit for circuit in made if circuit is not None]
    seen: dict[Circuit, Look] = dict(zip(asked, circuits.looks(asked), strict=True)) if asked else {}
    return [
        Known(_candidate(one, seen.get(circuit) if circuit else None), circuit)
        for one, circuit in zip(found, made, strict=True)
    ]


def standing(tenant_id: UUID) -> list[dict[str, Any]]:
    """Return how each provider of the tenant's voice is: `kind`, `provider`, `model`, `local`, `state`
    (closed: it works, open: it is let alone, half_open: it is tried), and `first_ms`, None where it is not known:
    about how long it takes to begin. Nothing is called."""
    found = []
    for work, kind in KINDS.items():
        try:
            candidates = [one.candidate for one in known(tenant_id, work)]
        except NotOffered:
            continue
        found += [
            {"kind": kind, **one.named, "local": one.local, "state": one.state, "first_ms": one.first_token_ms}
            for one in candidates
        ]
    return found


def _candidate(one: wiring.Answerer, look: Look | None) -> Candidate:
    if look is None:
        return Candidate(one.provider, one.model, one.local)
    return Candidate(one.provider, one.model, one.local, look.state.value, look.first_token_ms)


def _is_named(work: Work) -> bool:
    settings = get_settings()
    return (settings.transcriber if work == "transcription" else settings.speaker) != "auto"


def _policy(tenant_id: UUID, work: Work) -> Policy:
    return Policy.of(*_policies(tenant_id).of(work))


def know(tenant_id: UUID, policy: voice_policies.VoicePolicy) -> None:
    """Take a tenant's policy as it has just been read."""
    _policies.bring(tenant_id, policy)


_policies = Trusted[voice_policies.VoicePolicy](voice_policies.found, POLICY_TRUSTED_S)


def _shunned(tenant_id: UUID, subject_id: UUID) -> set[str]:
    try:
        return shunned.of(get_redis(), tenant_id, subject_id)
    except StoreUnavailable:
        return set()
