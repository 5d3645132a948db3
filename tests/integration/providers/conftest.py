"""Fixtures of the providers' tests: a far end that can break, settings, and local models loaded once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FarEnd, far_end

from pipelines.ports.sound import Audio
from pipelines.providers.local.minilm import MiniLM
from pipelines.providers.local.whisper import Whisper
from schemas.settings import Settings


@pytest.fixture
def fake() -> Iterator[FarEnd]:
    """Yield a fake server."""
    with far_end() as found:
        yield found


@pytest.fixture
def settings(fake: FarEnd) -> Callable[..., Settings]:
    """Return a maker of settings whose servers of one's own are the fake."""

    def make(**changed: Any) -> Settings:
        given: dict[str, Any] = {
            "chat_base_url": f"{fake.url}/v1",
            "embedding_base_url": f"{fake.url}/v1",
            "transcriber_base_url": f"{fake.url}/v1",
            "speech_base_url": fake.url,
            "aura_custom_api_key": "sk-test",
            "elevenlabs_api_key": "el-test",
            "provider_timeout_s": 60,
        }
        return Settings(_env_file=None, **{**given, **changed})  # type: ignore[call-arg]

    return make


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for joined weights."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def minilm(cache_dir: Path) -> MiniLM:
    """Return the local embedder."""
    return MiniLM(cache_dir)


@pytest.fixture(scope="session")
def whisper(cache_dir: Path) -> Whisper:
    """Return the local transcriber."""
    return Whisper(cache_dir)


@pytest.fixture(scope="session")
def recording(shared_data: Path) -> Callable[[str], Audio]:
    """Return a reader of the shared recordings."""

    def read(name: str) -> Audio:
        # Late, so that tests which need no recording do not load it.
        from faster_whisper.audio import decode_audio

        return Audio(decode_audio(str(shared_data / "speech" / name)), 16_000)

    return read
