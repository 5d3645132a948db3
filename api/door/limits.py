"""What a request may use of its tenant's limits: rates by the minute, calls by the month, storage, sessions."""

import math
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from api.door.auth import Caller
from pipelines.stores.organisation import quotas, rates, usage
from pipelines.stores.organisation.quotas import Limits, Resource
from pipelines.stores.organisation.rates import Taken, Verdict
from pipelines.stores.redis import get_redis
from schemas.errors.callers import QuotaExceeded, TooManyRequests
from schemas.errors.providers import StoreUnavailable
from workers.spending import budget

log = structlog.get_logger()

REDIS_RESTS_S = 2.0
"""Seconds for which Redis is not asked again after it did not answer: each request would wait for it."""

ALWAYS_OPEN = frozenset({"usage.show"})
"""Views that a used-up month does not close, so that one can see why it is."""

VISITOR_RATE = 30
"""Calls a minute of one visitor of a widget. All of a widget's together have half of what the organisation has."""

VISITORS = "visitors"
"""The places for voice sessions of visitors: half of the organisation's, so that its own people find one."""


class _Redis:
    """When Redis may be asked again."""

    away_until = 0.0


def register(app: Flask) -> None:
    """Limit every request that has a caller. Stands after `auth.register`."""
    app.before_request(_count)
    app.after_request(_show)


def _count() -> None:
    """Count the request in its caller's rates and month. Raises TooManyRequests, QuotaExceeded.

    What a person who is signed in reads is not counted in the month: pages look again by themselves.

    Who asks without a token on their own machine is not limited. Without Redis requests go on uncounted:
    a rate protects against haste, not against a stranger, and is not worth refusing everybody.
    """
    asking: Caller | None = g.get("caller")
    if asking is None or asking.kind == "local" or time.monotonic() < _Redis.away_until:
        return
    limits = quotas.limits(asking.tenant_id)
    try:
        g.taken = _take(asking, limits)
    except StoreUnavailable:
        _Redis.away_until = time.monotonic() + REDIS_RESTS_S
        log.warning("request not counted: redis is away")
        return
    used, most = g.taken.calls, limits.max_api_calls_monthly
    budget.publish(asking.tenant_id, g.taken.told, Resource.API_CALLS, used, most)
    if g.taken.verdict is Verdict.TOO_FAST:
        raise TooManyRequests(retry_after_s=math.ceil(g.taken.reset_s))
    if g.taken.verdict is Verdict.USED_UP:
        raise QuotaExceeded(f"The organisation's {most:,} calls of this month are used up.")


def _take(asking: Caller, limits: Limits) -> Taken:
    buckets = {"tenant": limits.rates.tenant}
    if asking.kind == "api_key":
        buckets[f"key:{asking.credential}"] = limits.rates.key
    elif asking.kind == "visitor":
        buckets |= {f"user:{asking.user_id}": VISITOR_RATE, f"widget:{asking.credential}": limits.rates.tenant // 2}
    else:
        buckets[f"user:{asking.user_id}"] = limits.rates.user
    most = rates.UNLIMITED if request.endpoint in ALWAYS_OPEN else limits.max_api_calls_monthly
    counts = not _is_looking(asking)
    month = quotas.this_month()
    taken = rates.take(get_redis(), asking.tenant_id, buckets, most, month, counts=counts)
    if taken.verdict is Verdict.UNSEEDED:
        counted = usage.calls_of(asking.tenant_id, month)
        taken = rates.take(get_redis(), asking.tenant_id, buckets, most, month, counted, counts=counts)
    return taken


def _is_looking(asking: Caller) -> bool:
    """Return whether somebody looks at a page: lists that are read again while files are in work are no use of the API.

    A month that such reads had used up would close the application to those who only watched it.
    """
    return asking.kind == "user" and request.method in ("GET", "HEAD")


def _show(response: Response) -> Response:
    """Add the `RateLimit-…` headers of the IETF's draft, in seconds, and when a used-up month ends."""
    taken: Taken | None = g.get("taken")
    if taken is None:
        return response
    response.headers["RateLimit-Limit"] = str(taken.limit)
    response.headers["RateLimit-Remaining"] = str(taken.remaining)
    response.headers["RateLimit-Reset"] = str(math.ceil(taken.reset_s))
    if taken.verdict is Verdict.USED_UP:
        response.headers["Retry-After"] = str(math.ceil(quotas.month_left_s()))
    return response


class SessionPlace:
    """A tenant's place for one open voice session. Raises QuotaExceeded where all are taken, and StoreUnavailable."""

    def __init__(self, asking: Caller) -> None:
        self._tenant_id, self._session_id = asking.tenant_id, uuid4()
        self._is_visitor = asking.kind == "visitor"
        most = self._most()
        if self._is_visitor:
            rates.enter_session(get_redis(), self._tenant_id, self._session_id, max(1, most // 2), VISITORS)
        try:
            there = rates.enter_session(get_redis(), self._tenant_id, self._session_id, most)
        except QuotaExceeded:
            budget.tell(self._tenant_id, Resource.SESSIONS, most, most, refused=True)
            raise
        budget.tell(self._tenant_id, Resource.SESSIONS, there, most)

    def keep(self) -> bool:
        """Say, at least every 10 s, that the session is alive; False where its place was lost to others.

        Without Redis a session goes on.
        """
        most = self._most()
        try:
            if self._is_visitor:
                rates.keep_session(get_redis(), self._tenant_id, self._session_id, max(1, most // 2), VISITORS)
            return rates.keep_session(get_redis(), self._tenant_id, self._session_id, most)
        except StoreUnavailable:
            return True

    def leave(self) -> None:
        """Give the place back; without Redis it is free after 30 s."""
        try:
            rates.leave_session(get_redis(), self._tenant_id, self._session_id)
            if self._is_visitor:
                rates.leave_session(get_redis(), self._tenant_id, self._session_id, VISITORS)
        except StoreUnavailable:
            log.warning("session's place not given back")

    def _most(self) -> int:
        return quotas.limits(self._tenant_id).max_concurrent_sessions
