"""What is sent through the broker, by a channel that keeps its client."""

import threading
from uuid import uuid4

from pipelines.stores.redis import get_redis
from schemas.tables.dialogue import TurnStage
from workers import broker, send
from workers.app import app


def test_a_channel_keeps_its_client_until_its_pool_is_another() -> None:
    with app.connection() as connection:
        channel = connection.channel()
        assert isinstance(channel, broker.Channel)
        first = channel._create_client()
        assert channel._create_client() is first
        channel._disconnect_pools()
        assert channel._create_client() is not first


def test_threads_that_share_a_client_lose_no_message() -> None:
    get_redis().delete("retrieve")

    def send_some() -> None:
        for _ in range(50):
            send.turn(uuid4(), uuid4(), TurnStage.RETRIEVE)

    threads = [threading.Thread(target=send_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get_redis().llen("retrieve") == 400
    get_redis().delete("retrieve")
