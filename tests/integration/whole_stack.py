"""A web process and workers of every queue, over models that are fake servers: an embedder that knows words, a chat."""

import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy.ephemeral import wait_until
from schemas.settings import get_settings
from tests import leftovers
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd, Reply, far_end
from tests.integration.reindex.stacks import QUEUES, ROOT, Stack

WIDTH = 512


def vector_of(text: str) -> Sequence[float]:
    """Return a vector of the words of a text: the more two share, the nearer they are."""
    found = [0.01] * WIDTH
    for word in text.lower().replace("?", " ").replace(".", " ").split():
        found[zlib.crc32(word.strip(",").encode()) % WIDTH] += 1.0
    return found


@contextmanager
def running(
    servers: tuple[str, str, str],
    folder: Path,
    chat: Reply | None = None,
    far_end_of: Callable[[str], Mapping[str, str]] = lambda url: {},
    queues: str = QUEUES,
    **variables: str,
) -> Iterator[tuple[Stack, FarEnd]]:
    """Yield the stack and the far end of its models; without a `chat` it answers without a model.

    `far_end_of` returns further settings, which name the far end's address.
    """

    def reply(exchange: Exchange) -> None:
        if exchange.asked.path.endswith("/embeddings"):
            fakes.embeddings(vector_of)(exchange)
        elif chat is not None:
            chat(exchange)

    leftovers.clear(servers)
    with far_end() as fake, pytest.MonkeyPatch.context() as patch:
        fake.reply = reply
        given = {
            "AURA_CHAT_PROVIDER": "custom" if chat else "local",
            "AURA_CHAT_BASE_URL": f"{fake.url}/v1",
            "AURA_CHAT_MODEL": "gullible",
            "AURA_EMBEDDER": "custom",
            "AURA_EMBEDDING_MODEL": "words",
            "AURA_EMBEDDING_BASE_URL": f"{fake.url}/v1",
            "AURA_CUSTOM_API_KEY": "sk-must-stay-secret",
            **far_end_of(fake.url),
            **variables,
        }
        for name, value in given.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        web = ["-m", "gunicorn", "--worker-class", "gthread", "--threads", "24", "--bind", f"unix:{folder}/web"]
        transport = httpx.HTTPTransport(uds=str(folder / "web"))
        with httpx.Client(transport=transport, base_url="http://localhost", timeout=300) as client:
            stack = Stack(client, folder, environ, servers[2])
            try:
                stack.start([*web, "api:create_app()"])
                stack.start(["-m", "celery", "-A", "workers.app:app", "beat", "--pidfile="])
                stack.start_workers(queues)
                wait_until((folder / "web").exists, 180, "the web process listens")
                yield stack, fake
            finally:
                for process in stack.running:
                    process.kill()
                for process in stack.running:
                    process.wait(60)
    get_settings.cache_clear()
