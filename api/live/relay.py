"""Live events for many clients of this process over one subscriber connection to Redis.

A follower subscribes first, reads the stream after its last id, then goes on with what the channel
brings, dropping what it has: it misses nothing and gets nothing twice. When the connection to Redis
breaks, all channels are subscribed again and every follower reads on from its last event.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
import structlog
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.retry import Retry

from api.live.following import Following, KeptEvents
from api.live.mailbox import Mailbox, Reason
from pipelines.stores import events
from schemas.errors.providers import StoreUnavailable
from schemas.events import Subject

CONFIRM_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 0.5
PING_AFTER_S = 5.0
DEAD_AFTER_S = 15.0
"""Silence after which the connection counts as cut: a vanished server sends no end of it."""

MAX_BACKOFF_S = 1.0
HOME_CHANNEL = "aura:relay"
"""Always subscribed, so that there is a connection to read while nobody follows anything."""

log = structlog.get_logger(__name__)


@dataclass
class Topic:
    """A channel: who follows it, and whether Redis has confirmed the subscription."""

    mailboxes: tuple[Mailbox, ...] = ()
    confirmed: threading.Event = field(default_factory=threading.Event)


class Relay:
    """Brings every subject's events to its followers. Its one thread starts with the first follower,
    so that it may be made before a server forks."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        pool = client.connection_pool
        # Nothing is retried below: a reader that reconnects by itself would not know what it missed.
        own: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), "health_check_interval": 0}
        kwargs = {**pool.connection_kwargs, **own}
        self._subscriber = redis.Redis(
            connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **kwargs)
        )
        self._lock = threading.Lock()
        self._topics: dict[str, Topic] = {}
        self._unconfirmed: Counter[str] = Counter()
        self._pubsub: PubSub | None = None
        self._pid = 0
        self._stopped = threading.Event()

    def follow(
        self,
        subject: Subject,
        after: str | None = None,
        mailbox: Mailbox | None = None,
        begin: Callable[[str, bool], None] = lambda place, resumed: None,
    ) -> Following:
        """Return the subject's events after the place `after`; None means those from now on.

        With a `mailbox` they go there; `begin` is called with the place and `Following.resumed`
        before the first of them. Raises InvalidRequest where `after` is no place, and
        StoreUnavailable where Redis does not answer.
        """
        mailbox = mailbox or Mailbox()
        place = events.last_id(self._client, subject) if after is None else after
        events.place(place)
        resumed = events.keeps(self._client, subject, place)
        topic = self._join(subject.key, mailbox)

        def leave() -> None:
            mailbox.close()
            self._leave(subject.key, mailbox)

        if not topic.confirmed.wait(CONFIRM_TIMEOUT_S):
            self._leave(subject.key, mailbox)
            raise StoreUnavailable
        begin(place, resumed)
        mailbox.follow(KeptEvents(self._client, subject), place, resumed)
        return Following(mailbox, resumed, leave)

    def close(self, reason: Reason = Reason.GOING_AWAY) -> None:
        """Tell every follower that this process stops, and stop reading."""
        self._stopped.set()
        with self._lock:
            mailboxes = [mailbox for topic in self._topics.values() for mailbox in topic.mailboxes]
        for mailbox in mailboxes:
            mailbox.close(reason)

    def followers(self) -> int:
        """Return how many are followed by this process now."""
        with self._lock:
            return sum(len(topic.mailboxes) for topic in self._topics.values())

    def _join(self, key: str, mailbox: Mailbox) -> Topic:
        with self._lock:
            self._start_reading()
            topic = self._topics.get(key)
            if topic is None:
                topic = self._topics[key] = Topic()
                self._send("subscribe", key)
            topic.mailboxes = (*topic.mailboxes, mailbox)
            return topic

    def _leave(self, key: str, mailbox: Mailbox) -> None:
        with self._lock:
            topic = self._topics.get(key)
            if topic is None:
                return
            topic.mailboxes = tuple(other for other in topic.mailboxes if other is not mailbox)
            if not topic.mailboxes:
                del self._topics[key]
                self._send("unsubscribe", key)

    def _send(self, command: str, *keys: str) -> None:
        """Send a command on the subscriber connection; `_lock` is held, since only one may write to it."""
        if self._pubsub is None:
            return
        try:
            if command == "subscribe":
                self._unconfirmed.update(keys)
                self._pubsub.subscribe(*keys)
            elif command == "unsubscribe":
                self._pubsub.unsubscribe(*keys)
            else:
                self._pubsub.ping()
        except (redis.ConnectionError, redis.TimeoutError, OSError):
            # The reading thread finds the same connection broken and subscribes to all again.
            log.info("relay.send_failed", command=command)

    def _start_reading(self) -> None:
        if self._pid == os.getpid():
            return
        # After a fork the thread and its connection belong to the parent.
        self._pid, self._pubsub, self._topics, self._unconfirmed = os.getpid(), None, {}, Counter()
        threading.Thread(target=self._read_always, name="relay", daemon=True).start()

    def _read_always(self) -> None:
        backoff_s = 0.05
        while not self._stopped.is_set():
            try:
                pubsub = self._subscribe_again()
                while not self._stopped.is_set():
                    self._read(pubsub)
                    backoff_s = 0.05
            except (redis.RedisError, OSError) as error:
                log.warning("relay.disconnected", error=type(error).__name__)
                self._stopped.wait(backoff_s)
                backoff_s = min(MAX_BACKOFF_S, backoff_s * 2)
            finally:
                self._disconnect()

    def _subscribe_again(self) -> PubSub:
        pubsub = self._subscriber.pubsub()
        pubsub.subscribe(HOME_CHANNEL)
        self._heard_at = self._pinged_at = time.monotonic()
        with self._lock:
            self._pubsub = pubsub
            self._unconfirmed = Counter()
            if self._topics:
                self._send("subscribe", *self._topics)
        return pubsub

    def _read(self, pubsub: PubSub) -> None:
        message = pubsub.get_message(timeout=READ_TIMEOUT_S)
        now = time.monotonic()
        if message is None:
            if now - self._heard_at > DEAD_AFTER_S:
                raise redis.ConnectionError("silent")
            if now - max(self._heard_at, self._pinged_at) > PING_AFTER_S:
                self._pinged_at = now
                with self._lock:
                    self._send("ping")
            return
        self._heard_at = now
        if message["type"] == "message":
            self._fan_out(message["channel"].decode(), message["data"])
        elif message["type"] == "subscribe":
            self._confirm(message["channel"].decode())

    def _fan_out(self, key: str, data: bytes) -> None:
        with self._lock:
            topic = self._topics.get(key)
            mailboxes = topic.mailboxes if topic else ()
        if mailboxes:
            event = events.announced(data)
            for mailbox in mailboxes:
                mailbox.offer(event)

    def _confirm(self, key: str) -> None:
        with self._lock:
            self._unconfirmed[key] -= 1
            # An older subscription's answer says nothing about one that was made after leaving.
            if self._unconfirmed[key] > 0:
                return
            del self._unconfirmed[key]
            topic = self._topics.get(key, Topic())
            topic.confirmed.set()
            mailboxes = topic.mailboxes
        for mailbox in mailboxes:
            mailbox.rewind()

    def _disconnect(self) -> None:
        with self._lock:
            pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            pubsub.close()
