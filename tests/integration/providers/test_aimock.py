"""The OpenAI-compatible provider against a fake of OpenAI that others wrote: npm's @copilotkit/aimock."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

import deploy.node
from pipelines.ports.models import Prompt, Usage
from pipelines.ports.passages import Passage
from pipelines.ports.sound import Audio, Word
from pipelines.providers import chat_model, embedder, speaker, transcriber
from schemas.errors.providers import ProviderUnavailable, RateLimited
from schemas.settings import Settings

PACKAGE = "@copilotkit/aimock"
VERSION = "1.43.0"
FOLDER = Path(__file__).resolve().parents[3] / ".aura-node"
FIXTURES = Path(__file__).with_name("aimock.json")
INSTALL_WITHIN_S = 60

PROMPT = Prompt(
    "What does a bicycle cost?",
    (Passage("document", 1, UUID(int=1), "prices.txt", "A bicycle costs 900 euros."),),
    "You are Ada.",
)

Start = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def program() -> list[str]:
    """Return the command that runs aimock, installed beside the repository's other caches at the first run."""
    node, npm = deploy.node.node(), deploy.node.npm()
    if node is None:
        pytest.skip("needs Node: `make web` brings one")
    script = FOLDER / "node_modules" / PACKAGE / "dist" / "cli.js"
    if not script.is_file():
        FOLDER.mkdir(exist_ok=True)
        command = [*npm, "install", "--prefix", str(FOLDER), "--no-audit", "--no-fund", f"{PACKAGE}@{VERSION}"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_WITHIN_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"{PACKAGE} could not be installed: {type(error).__name__}")
    return [node, str(script)]


@pytest.fixture
def start(program: list[str]) -> Iterator[Start]:
    """Return a starter of aimock with options; it gives the settings that point at it."""
    running: list[subprocess.Popen[str]] = []
    said: list[str] = []

    def address(*options: str) -> str:
        """Start the program and return where it listens; empty where it ended at once."""
        command = [*program, "-p", "0", "-f", str(FIXTURES), "--strict", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        running.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                return found[0]
        return ""

    def run(*options: str) -> dict[str, Any]:
        # On a busy machine the program sometimes ends before it listens; it is not what is tested.
        found = address(*options) or address(*options) or address(*options)
        if not found:
            pytest.skip(f"aimock does not start here: {''.join(said)[-500:]}")
        url = f"{found}/v1"
        return {
            "_env_file": None,
            "chat_provider": "custom",
            "chat_base_url": url,
            "chat_model": "gpt-5.4-mini",
            "embedder": "custom",
            "embedding_base_url": url,
            "embedding_model": "some-embedding",
            "transcriber": "custom",
            "transcriber_base_url": url,
            "transcription_model": "whisper-1",
            "speaker": "custom",
            "speaker_base_url": url,
            "speech_model": "gpt-4o-mini-tts",
            "speech_format": "pcm",
            "provider_timeout_s": 60,
        }

    yield run
    for process in running:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


def test_an_answer_is_streamed_and_counted(start: Start) -> None:
    *pieces, usage = chat_model(Settings(**start("--chunk-size", "8"))).answer(PROMPT)
    assert "".join(map(str, pieces)) == "A bicycle costs 900 euros. [1] Delivery is free above 500 euros. [2]"
    assert len(pieces) > 5
    assert isinstance(usage, Usage)
    assert usage.output_tokens > 0
    assert usage.cost_usd > 0


def test_embeddings_come_back_as_units(start: Start) -> None:
    # aimock gives every text of a request the same vector, so each is asked for by itself.
    found = embedder(Settings(**start()))
    assert np.allclose(found.embed(["first"]), [[0.6, 0, 0.8]])
    assert np.allclose(found.embed(["second"]), [[0, 1, 0]])


def test_a_recording_is_transcribed_and_a_text_is_spoken(start: Start) -> None:
    settings = Settings(**start())
    found = transcriber(settings).transcribe(Audio(np.zeros(16_000, np.float32), 16_000), words=True)
    assert (found.text, found.language) == ("What does a bicycle cost?", "en")
    assert found.words == (Word("What", 0.0, 0.2), Word("does", 0.2, 0.4))
    assert b"".join(speaker(settings).speak("900 euros.", "nova", 1.2)) == bytes(range(16)) * 2


@pytest.mark.parametrize(
    ("chaos", "error"),
    [
        ("--chaos-drop", ProviderUnavailable),
        ("--chaos-malformed", ProviderUnavailable),
        ("--chaos-disconnect", ProviderUnavailable),
        ("--chaos-ratelimit", RateLimited),
    ],
)
def test_chaos_ends_in_our_errors(chaos: str, error: type[Exception], start: Start) -> None:
    with pytest.raises(error):
        list(chat_model(Settings(**start(chaos, "1"))).answer(PROMPT))
