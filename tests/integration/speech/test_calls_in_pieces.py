"""What a worker says piece by piece reaches the caller piece by piece, and stops where nobody waits."""

from contextlib import closing
from uuid import uuid4

import pytest

from pipelines.stores import calls
from pipelines.stores.redis import get_redis
from schemas.errors import ProviderUnavailable


def test_pieces_come_in_order_and_end_with_the_reply(servers: object) -> None:
    client, tenant, call = get_redis(), uuid4(), uuid4()
    found = calls.results(client, tenant, call, 5)
    assert calls.say(client, tenant, call, {"rate": 1}, b"one")
    assert next(found) == ({"rate": 1}, b"one")
    assert calls.say(client, tenant, call, {}, b"two")
    calls.reply(client, tenant, call, {"seconds": 2}, b"three")
    assert list(found) == [({}, b"two"), ({"seconds": 2}, b"three")]


def test_who_speaks_learns_that_nobody_listens_any_more(servers: object) -> None:
    client, tenant, call = get_redis(), uuid4(), uuid4()
    with closing(calls.results(client, tenant, call, 5)) as found:
        assert calls.say(client, tenant, call, {}, b"one")
        next(found)
    assert not calls.say(client, tenant, call, {}, b"two")


def test_a_worker_that_falls_silent_is_not_waited_for_without_end(servers: object) -> None:
    with pytest.raises(ProviderUnavailable):
        next(calls.results(get_redis(), uuid4(), uuid4(), 0.2))
