"""Which provider is offered, which is chosen, and that finding out costs nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines import providers
from schemas.errors.requests import NotOffered
from schemas.settings import Settings

HEAVY = ("openai", "elevenlabs", "httpx", "onnxruntime", "tokenizers", "faster_whisper", "ctranslate2", "piper")
ASKED = f"""
import json, sys
from pipelines import providers
from schemas.settings import Settings
providers.offers(Settings(_env_file=None))
print(json.dumps([name for name in {HEAVY} if name in sys.modules]))
"""


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GROK_API_KEY", "GROQ_API_KEY", "ELEVENLABS_API_KEY", "AURA_CUSTOM_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def made(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


def chosen(settings: Settings) -> dict[str, str]:
    return {offer.kind: offer.name for offer in providers.offers(settings) if offer.chosen}


def test_without_a_key_everything_is_local() -> None:
    assert chosen(made()) == {"chat": "local", "embedder": "local", "transcriber": "local", "speaker": "local"}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"openai_api_key": "k", "groq_api_key": "k"}, "openai"),
        ({"grok_api_key": "k", "groq_api_key": "k"}, "grok"),
        ({"groq_api_key": "k"}, "groq"),
        ({"chat_base_url": "http://127.0.0.1:11434/v1"}, "custom"),
        ({"openai_api_key": "k", "chat_provider": "local"}, "local"),
        ({"openai_api_key": "", "groq_api_key": "k"}, "groq"),
    ],
)
def test_auto_takes_the_first_that_is_set_up(given: dict[str, str], name: str) -> None:
    assert chosen(made(**given))["chat"] == name


def test_a_speaker_with_a_key_comes_before_the_local_one() -> None:
    assert chosen(made(elevenlabs_api_key="k"))["speaker"] == "elevenlabs"
    assert chosen(made(elevenlabs_api_key="k", speaker="local"))["speaker"] == "local"


def test_what_is_not_offered_says_why() -> None:
    found = {(offer.kind, offer.name): offer for offer in providers.offers(made())}
    assert len(found) == len(providers.TABLE)
    assert "OPENAI_API_KEY" in found["chat", "openai"].why_not
    assert "AURA_EMBEDDING_BASE_URL" in found["embedder", "custom"].why_not
    assert "ELEVENLABS_API_KEY" in found["speaker", "elevenlabs"].why_not
    for offer in found.values():
        assert offer.offered == (not offer.why_not)


def test_the_chosen_one_may_lack_its_key_and_says_so_when_it_is_asked_for() -> None:
    settings = made(embedder="openai")
    assert [offer.offered for offer in providers.offers(settings) if offer.chosen and offer.kind == "embedder"] == [
        False
    ]
    with pytest.raises(NotOffered, match="OPENAI_API_KEY"):
        providers.embedder(settings)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotOffered, match="openai, grok, groq, custom, local"):
        providers.chat_model(made(chat_provider="gpt5"))


def test_the_settings_name_the_model() -> None:
    settings = made(openai_api_key="k", chat_model="gpt-9", transcription_model="hear-1")
    found = {(offer.kind, offer.name): offer.model for offer in providers.offers(settings)}
    assert found["chat", "openai"] == "gpt-9"
    assert found["transcriber", "openai"] == "hear-1"
    assert found["embedder", "openai"] == "text-embedding-3-small"


def test_asking_what_is_offered_imports_no_sdk_and_no_model_library() -> None:
    root = Path(__file__).resolve().parents[3]
    run = subprocess.run([sys.executable, "-c", ASKED], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == []
