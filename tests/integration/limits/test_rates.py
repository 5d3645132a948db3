"""Rates, tries and open sessions: exact over many threads, and gone from no place they should keep."""

import time
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

from pipelines.stores.organisation import quotas, rates
from pipelines.stores.organisation.rates import Taken, Verdict
from pipelines.stores.redis import open_redis
from schemas.errors.callers import QuotaExceeded, TooManyTries
from schemas.errors.providers import StoreUnavailable
from schemas.settings import get_settings
from tests.integration.limits.acting import at_once

MONTH = quotas.this_month()


def take(client: "redis.Redis", tenant: UUID, calls: int = 1000, **buckets: int) -> Taken:
    return rates.take(client, tenant, buckets, calls, MONTH, counted=0)


def pass_s(client: "redis.Redis", tenant: UUID, bucket: str, seconds: float) -> None:
    """Let time pass for a bucket: the moment at which it is empty comes nearer."""
    key = f"aura:{tenant}:rate:{bucket}"
    client.set(key, int(client.get(key) or 0) - int(seconds * 1e6))  # type: ignore[arg-type]


def test_a_rate_lets_its_limit_through_at_once_and_no_more(client: "redis.Redis", tenant: UUID) -> None:
    taken = at_once(20, lambda _: take(client, tenant, user=7))
    assert sorted(t.verdict for t in taken) == [Verdict.ALLOWED] * 7 + [Verdict.TOO_FAST] * 13
    assert sorted(t.remaining for t in taken if t.verdict is Verdict.ALLOWED) == list(range(7))


def test_a_refused_call_says_when_the_next_one_may_come(client: "redis.Redis", tenant: UUID) -> None:
    began = time.monotonic()
    for _ in range(10):
        assert take(client, tenant, user=10).verdict is Verdict.ALLOWED
    refused = take(client, tenant, user=10)
    took_s = time.monotonic() - began
    assert (refused.verdict, refused.limit, refused.remaining) == (Verdict.TOO_FAST, 10, 0)
    assert 5.9 - took_s < refused.reset_s <= 6.0
    pass_s(client, tenant, "user", refused.reset_s)
    assert [take(client, tenant, user=10).verdict for _ in range(2)] == [Verdict.ALLOWED, Verdict.TOO_FAST]


def test_a_refused_call_costs_the_other_buckets_nothing(client: "redis.Redis", tenant: UUID) -> None:
    for _ in range(5):
        take(client, tenant, all=10, user=2)
    assert take(client, tenant, all=10).remaining == 7
    assert rates.counted(client, [(tenant, MONTH)]) == [3]


def test_the_bucket_nearest_to_its_end_is_shown(client: "redis.Redis", tenant: UUID) -> None:
    taken = take(client, tenant, all=600, user=120, key=300)
    assert (taken.limit, taken.remaining) == (120, 119)
    assert 0.4 < taken.reset_s <= 0.5


def test_a_call_takes_one_round_trip(servers: object, tenant: UUID) -> None:
    sent: list[Any] = []

    class Counting(redis.Connection):
        def send_packed_command(self, command: Any, check_health: bool = True) -> None:
            sent.append(command)
            super().send_packed_command(command, check_health)

    url = get_settings().redis_url
    with redis.Redis(connection_pool=redis.ConnectionPool.from_url(url, connection_class=Counting)) as client:
        take(client, tenant, all=600, user=120, key=300)
        sent.clear()
        taken = take(client, tenant, all=600, user=120, key=300)
    assert taken.verdict is Verdict.ALLOWED
    assert len(sent) == 1


def test_every_key_names_its_tenant_and_ends_by_itself(client: "redis.Redis", tenant: UUID) -> None:
    client.flushall()
    take(client, tenant, calls=1, all=600, user=120)
    rates.enter_session(client, tenant, uuid4(), 3)
    keys = [key.decode() for key in client.keys("aura:*")]
    assert len(keys) == 7
    assert [key for key in keys if not key.startswith(f"aura:{tenant}:")] == [rates.UNFLUSHED]
    assert all(client.pttl(key) > 0 for key in keys if key != rates.UNFLUSHED)


def test_the_eleventh_try_waits(client: "redis.Redis") -> None:
    name = f"{uuid4()}@example.org"

    def attempt(_: int) -> float:
        try:
            rates.tries(client, "login", name, 10, 900)
        except TooManyTries as error:
            return error.retry_after_s
        return 0.0

    waits = at_once(20, attempt)
    assert waits.count(0.0) == 10
    assert all(890 < wait <= 900 for wait in waits if wait)
    assert not [key for key in client.keys("aura:door:*") if b"example.org" in key]
    rates.forgive(client, "login", name)
    assert attempt(0) == 0.0


def test_a_throttle_that_cannot_count_lets_nobody_in(nowhere: "redis.Redis") -> None:
    with pytest.raises(StoreUnavailable):
        rates.tries(nowhere, "login", "a", 10, 900)


def entered(client: "redis.Redis", tenant: UUID, limit: int) -> bool:
    try:
        rates.enter_session(client, tenant, uuid4(), limit)
    except QuotaExceeded:
        return False
    return True


def test_no_more_sessions_are_open_than_allowed(client: "redis.Redis", tenant: UUID) -> None:
    assert sum(at_once(20, lambda _: entered(client, tenant, 7))) == 7
    assert rates.sessions(client, tenant) == 7


def test_a_session_that_leaves_gives_its_place_back(client: "redis.Redis", tenant: UUID) -> None:
    here = uuid4()
    assert rates.enter_session(client, tenant, here, 1) == 1
    assert not entered(client, tenant, 1)
    rates.leave_session(client, tenant, here)
    assert entered(client, tenant, 1)


def test_the_place_of_a_process_that_died_is_free_after_30_s(client: "redis.Redis", tenant: UUID) -> None:
    dead, alive = uuid4(), uuid4()
    for session_id in (dead, alive):
        rates.enter_session(client, tenant, session_id, 2)
    for age_s, free in ((20, False), (31, True)):
        client.zadd(f"aura:{tenant}:sessions", {str(dead): client.time()[0] - age_s})  # type: ignore[index]
        assert rates.keep_session(client, tenant, alive, 2)
        assert rates.sessions(client, tenant) == (1 if free else 2)
        assert entered(client, tenant, 2) is free
    assert not rates.keep_session(client, tenant, dead, 2)


def test_sessions_are_there_again_after_redis_was_emptied(client: "redis.Redis", tenant: UUID) -> None:
    ours = [uuid4() for _ in range(3)]
    for session_id in ours:
        rates.enter_session(client, tenant, session_id, 3)
    client.flushall()
    assert all(rates.keep_session(client, tenant, session_id, 3) for session_id in ours)
    assert not entered(client, tenant, 3)


def test_without_redis_no_session_enters(nowhere: "redis.Redis", tenant: UUID) -> None:
    with pytest.raises(StoreUnavailable):
        rates.enter_session(nowhere, tenant, uuid4(), 3)


def test_scripts_are_there_again_after_redis_was_emptied(servers: object, tenant: UUID) -> None:
    with open_redis(get_settings().redis_url) as client:
        take(client, tenant, user=10)
        client.flushall()
        client.script_flush()
        assert take(client, tenant, user=10).verdict is Verdict.ALLOWED
