"""How many voice sessions a process takes: those beyond are refused at once and told when to come back."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
import redis
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from tests.integration.relay.talking import WITHIN_S, Web, Workers
from tests.integration.relay.valkey import wait_until

LIMIT = 3
AT_ONCE_S = 30.0
"""Nobody is let wait for a place, as none comes free here; how long a busy machine needs to say so is its own."""


@pytest.fixture(scope="module")
def small(shared_valkey: object) -> Iterator[Web]:
    server = Web(shared_valkey.url, max_voice_sessions=str(LIMIT), max_sockets="6")  # type: ignore[attr-defined]
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def every_place_is_given_back(small: Web) -> Iterator[None]:
    yield
    wait_until(lambda: small.state() == {"taken": 0, "followers": 0})


def refusal(web: Web) -> tuple[Response, float]:
    """Return how a session is refused, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(InvalidStatus) as refused:
        web.talk().__enter__()
    return refused.value.response, time.monotonic() - began


def test_one_too_many_is_refused_at_once_with_a_time_to_come_back_and_the_others_go_on(
    small: Web, workers: Workers
) -> None:
    with ExitStack() as stack:
        talkers = [stack.enter_context(small.talk()) for _ in range(LIMIT)]
        for talker in talkers:
            talker.start()
        for _ in range(5):
            response, took_s = refusal(small)
            assert (response.status_code, json.loads(response.body or b"")["code"]) == (503, "too_busy")
            assert 10 <= int(response.headers["Retry-After"]) <= 20 and took_s < AT_ONCE_S
        for talker in talkers:
            talker.send(type="ping")
            talker.expect("pong")
        # What is no voice session still finds a place: an event stream, as a text chat opens.
        with httpx.stream(
            "GET", f"http://127.0.0.1:{small.port}/events/{'0' * 8}-0000-0000-0000-{'0' * 12}", timeout=WITHIN_S
        ) as stream:
            assert stream.status_code == 200
            began = stream.iter_raw()
            assert next(began)
    wait_until(lambda: small.state()["taken"] == 0)
    with small.talk() as talker:
        talker.start()


def test_a_place_is_given_back_by_sessions_that_never_start(small: Web) -> None:
    for _ in range(3 * LIMIT):
        with small.talk() as talker:
            talker.send(type="commit")
            assert talker.closed()[0] == 1008
    with small.talk() as talker:
        talker.start()


def test_a_machine_that_is_behind_with_its_voice_work_takes_nobody_in(small: Web, client: "redis.Redis") -> None:
    with small.talk() as talker:
        talker.start()
        client.rpush("transcribe", *[b"a message"] * 200)
        # Left from before, as nobody works on them: that keeps nobody out.
        wait_until(lambda: not turned_away(small))
        client.set("aura:worker:transcribe:transcribe@test", "{}", ex=600)
        try:
            # What was known a second ago still counts.
            wait_until(lambda: turned_away(small))
            talker.send(type="ping")
            talker.expect("pong")
        finally:
            client.delete("transcribe", "aura:worker:transcribe:transcribe@test")
        wait_until(lambda: not turned_away(small))


def turned_away(web: Web) -> bool:
    try:
        with web.talk():
            return False
    except InvalidStatus as refused:
        return refused.response.status_code == 503
