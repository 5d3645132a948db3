"""What a worker says piece by piece reaches the caller piece by piece, and stops where nobody waits."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from uuid import uuid4

import pytest

from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from schemas.errors.providers import ProviderUnavailable


def test_pieces_come_in_order_and_end_with_the_reply(servers: object) -> None:
    client, tenant, call = get_redis(), uuid4(), uuid4()
    found = calls.results(client, tenant, call, 60)
    assert calls.say(client, tenant, call, {"rate": 1}, b"one") == 1
    assert next(found) == ({"rate": 1}, b"one")
    assert calls.say(client, tenant, call, {}, b"two") == 1
    calls.reply(client, tenant, call, {"seconds": 2}, b"three")
    assert list(found) == [({}, b"two"), ({"seconds": 2}, b"three")]


def test_who_speaks_learns_that_nobody_listens_any_more(servers: object) -> None:
    client, tenant, call = get_redis(), uuid4(), uuid4()
    with closing(calls.results(client, tenant, call, 60)) as found:
        assert calls.say(client, tenant, call, {}, b"one") == 1
        next(found)
    assert calls.say(client, tenant, call, {}, b"two") is None
    assert not calls.fetched(client, tenant, call, 5)


def test_a_worker_that_falls_silent_is_not_waited_for_without_end(servers: object) -> None:
    with pytest.raises(ProviderUnavailable):
        next(calls.results(get_redis(), uuid4(), uuid4(), 0.2))


def test_who_fetches_slowly_is_waited_for_and_who_stalls_is_not(
    servers: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "STALL_S", 3)
    client, tenant, call = get_redis(), uuid4(), uuid4()
    found = calls.results(client, tenant, call, 60)
    for count in range(1, 5):
        assert calls.say(client, tenant, call, {}, b"held") == count
    with ThreadPoolExecutor() as other:
        waiting = other.submit(calls.fetched, client, tenant, call, 2)
        next(found), next(found)
        assert waiting.result(60)
    assert not calls.fetched(client, tenant, call, 1)
