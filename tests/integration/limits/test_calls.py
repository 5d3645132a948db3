"""The month's calls: counted once, written once, and told once."""

import threading
from uuid import UUID

import psycopg
import redis

from pipelines.stores.organisation import quotas, rates, usage
from pipelines.stores.organisation.quotas import Resource
from pipelines.stores.organisation.rates import Taken, Verdict
from schemas.events import EventName
from tests.integration.limits.acting import SetLimits, at_once

MONTH = quotas.this_month()


def call(client: "redis.Redis", tenant: UUID, most: int = 1000) -> Taken:
    taken = rates.take(client, tenant, {}, most, MONTH)
    if taken.verdict is Verdict.UNSEEDED:
        return rates.take(client, tenant, {}, most, MONTH, usage.calls_of(tenant, MONTH))
    return taken


def test_a_month_ends_at_its_quota(client: "redis.Redis", tenant: UUID) -> None:
    verdicts = [taken.verdict for taken in at_once(20, lambda _: call(client, tenant, 7))]
    assert (verdicts.count(Verdict.ALLOWED), verdicts.count(Verdict.USED_UP)) == (7, 13)
    assert rates.counted(client, [(tenant, MONTH)]) == [7]


def test_each_mark_is_told_once(client: "redis.Redis", tenant: UUID) -> None:
    taken = [call(client, tenant, 10) for _ in range(15)]
    assert [t.told for t in taken[:10]] == [()] * 7 + [(EventName.QUOTA_WARNING,), (), (EventName.QUOTA_EXCEEDED,)]
    assert [t.told for t in taken[10:]] == [()] * 5


def test_of_many_at_once_one_is_told(client: "redis.Redis", tenant: UUID) -> None:
    told = at_once(20, lambda _: quotas.crossed(client, tenant, Resource.STORAGE, 85, 100))
    assert [name for due in told for name in due] == [EventName.QUOTA_WARNING]
    assert quotas.crossed(client, tenant, Resource.SESSIONS, 79, 100) == []
    assert quotas.crossed(client, tenant, Resource.SESSIONS, 10, 100, refused=True) == [EventName.QUOTA_EXCEEDED]
    assert quotas.crossed(client, tenant, Resource.STORAGE, 100, 100) == [EventName.QUOTA_EXCEEDED]


def test_calls_are_written_once(client: "redis.Redis", tenant: UUID) -> None:
    for _ in range(5):
        call(client, tenant)
    for _ in range(2):
        usage.flush_calls(client)
        assert usage.calls_of(tenant, MONTH) == 5
    assert (tenant, MONTH) not in rates.unflushed(client)


def test_a_flush_that_died_is_repeated_without_doubling(client: "redis.Redis", tenant: UUID) -> None:
    for _ in range(5):
        call(client, tenant)
    # All that a flush does before it dies: the row is written, and nothing says so.
    usage._write_calls(tenant, MONTH, 5)
    call(client, tenant)
    assert (tenant, MONTH) in rates.unflushed(client)
    usage.flush_calls(client)
    assert usage.calls_of(tenant, MONTH) == 6


def test_a_call_during_a_flush_is_written_by_the_next(client: "redis.Redis", tenant: UUID) -> None:
    call(client, tenant)
    written = usage._write_calls(tenant, MONTH, 1)
    call(client, tenant)
    rates.flushed(client, tenant, MONTH, 1, written)
    assert (tenant, MONTH) in rates.unflushed(client)
    usage.flush_calls(client)
    assert usage.calls_of(tenant, MONTH) == 2


def test_an_emptied_redis_goes_on_from_the_row(client: "redis.Redis", tenant: UUID) -> None:
    for _ in range(5):
        call(client, tenant)
    usage.flush_calls(client)
    call(client, tenant)
    client.flushall()
    assert call(client, tenant).calls == 6
    usage.flush_calls(client)
    assert usage.calls_of(tenant, MONTH) == 6


def test_a_counter_seeded_too_low_is_raised_by_the_flush(client: "redis.Redis", tenant: UUID) -> None:
    for _ in range(9):
        call(client, tenant)
    counted = rates.counted(client, [(tenant, MONTH)])[0]
    # Redis is emptied and seeded anew while a flush is between reading the counter and writing the row.
    client.flushall()
    call(client, tenant)
    rates.flushed(client, tenant, MONTH, counted, usage._write_calls(tenant, MONTH, counted))
    assert call(client, tenant).calls == 10


def test_calls_made_while_others_flush_and_redis_is_emptied_are_few(client: "redis.Redis", tenant: UUID) -> None:
    over = threading.Event()

    def flush() -> None:
        while not over.is_set():
            usage.flush_calls(client)

    flusher = threading.Thread(target=flush)
    flusher.start()
    at_once(8, lambda _: [call(client, tenant) for _ in range(50)])
    over.set()
    flusher.join()
    usage.flush_calls(client)
    assert usage.calls_of(tenant, MONTH) == 400
    client.flushall()
    at_once(8, lambda _: [call(client, tenant) for _ in range(10)])
    usage.flush_calls(client)
    assert usage.calls_of(tenant, MONTH) == 480


def test_a_deleted_tenant_holds_up_no_flush(
    client: "redis.Redis", tenant: UUID, limited: SetLimits, admin: psycopg.Connection
) -> None:
    gone = limited()
    for each in (gone, tenant):
        call(client, each)
    admin.execute("DELETE FROM tenants WHERE tenant_id = %s", (gone,))
    usage.flush_calls(client)
    assert usage.calls_of(tenant, MONTH) == 1
    assert rates.unflushed(client) == []


def test_months_and_tenants_are_counted_apart(client: "redis.Redis", tenant: UUID, limited: SetLimits) -> None:
    call(client, tenant)
    later = quotas.following(MONTH)
    assert rates.take(client, tenant, {}, 1000, later, 0).calls == 1
    assert call(client, limited()).calls == 1
    usage.flush_calls(client)
    assert [usage.calls_of(tenant, month) for month in (MONTH, later)] == [1, 1]
    assert 0 < quotas.month_left_s() <= 31 * 86_400
