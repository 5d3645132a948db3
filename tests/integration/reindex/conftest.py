"""A web process, workers of every queue and a beat, over an embedder that is a fake server and counts."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from deploy.ephemeral import wait_until
from schemas.settings import get_settings
from tests import leftovers
from tests.integration.providers.fakes import far_end
from tests.integration.reindex.stacks import ROOT, Embedders, Stack, embeds


@pytest.fixture(scope="module")
def embedders() -> Iterator[Embedders]:
    with far_end() as fake:
        fake.__class__ = Embedders
        fake.reply = embeds
        yield fake  # type: ignore[misc]


@contextmanager
def environment(embedders: Embedders) -> Iterator[dict[str, str]]:
    given = {
        "AURA_CHAT_PROVIDER": "local",
        "AURA_EMBEDDER": "custom",
        "AURA_EMBEDDING_MODEL": "model-a",
        "AURA_EMBEDDING_BASE_URL": f"{embedders.url}/v1",
        "AURA_CUSTOM_API_KEY": "sk-test",
        "AURA_STAGE_LEASE_S": "6",
        "AURA_LOG_LEVEL": "info",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        yield {**os.environ, "PYTHONPATH": str(ROOT)}
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def stack(
    servers: tuple[str, str, str],
    embedders: Embedders,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    leftovers.clear(servers)
    web = ["-m", "gunicorn", "--worker-class", "gthread", "--threads", "24", "--bind", f"unix:{folder}/web"]
    with environment(embedders) as environ:
        transport = httpx.HTTPTransport(uds=str(folder / "web"))
        with httpx.Client(transport=transport, base_url="http://localhost", timeout=300) as client:
            stack = Stack(client, folder, environ, servers[2])
            try:
                stack.start([*web, "api:create_app()"])
                stack.start(["-m", "celery", "-A", "workers.app:app", "beat", "--pidfile="])
                stack.start_workers()
                wait_until((folder / "web").exists, 180, "the web process listens")
                yield stack
            finally:
                for process in stack.running:
                    process.kill()
                for process in stack.running:
                    process.wait(60)


@pytest.fixture
def counted(embedders: Embedders) -> Embedders:
    """Return the embedders, from now on."""
    embedders.asked.clear()
    embedders.reply = embeds
    return embedders


@pytest.fixture
def rows(admin: psycopg.Connection) -> Callable[..., list[tuple[Any, ...]]]:
    return lambda question, *values: admin.execute(question, values).fetchall()  # type: ignore[no-any-return]
