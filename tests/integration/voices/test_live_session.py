"""A conversation over the real socket, web process and workers, that goes on when its providers die in the middle."""

import os
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import redis

from deploy.ephemeral import wait_until
from tests import forked, leftovers
from tests.forked import Program
from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange, FarEnd, Reply
from tests.integration.relay.talking import Talker, Web
from tests.integration.voices.conftest import silent, sound_of, working

SENTENCES = ("A bicycle costs nine hundred euros today. ", "Delivery to your door is free of charge. ")
QUEUES = "transcribe,retrieve,generate,synthesize"


class WholeWeb(Web):
    """The web process as it is deployed."""

    app = "api:create_app()"
    look = "/health"


@pytest.fixture
def talker(
    servers: tuple[str, str, str], far_ends: dict[str, FarEnd], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Talker]:
    """Yield a client that talks to a whole stack, whose answers have two sentences."""
    leftovers.clear(servers)
    with fakes.far_end() as chat:
        chat.reply = thinking
        # As much as a busy machine needs.
        given = {"PROVIDER_TRANSCRIPT_S": "8", "PROVIDER_FIRST_SOUND_S": "8", "PROVIDER_TIMEOUT_S": "20"}
        given |= {"CHAT_PROVIDER": "custom", "CHAT_BASE_URL": chat.url, "CHAT_MODEL": "some-model"}
        given |= {"EMBEDDER": "custom", "EMBEDDING_BASE_URL": chat.url, "EMBEDDING_MODEL": "words"}
        for name, value in given.items():
            monkeypatch.setenv(f"AURA_{name}", value)
        worker, web = None, WholeWeb(servers[2])
        try:
            worker = start_worker(servers[2], tmp_path)
            with web.talk() as talking:
                talking.start(language="en")
                yield talking
        finally:
            web.process.kill()
            web.end(60)
            if worker is not None:
                worker.kill()
                worker.wait(60)


def start_worker(redis_url: str, folder: Path) -> Program:
    name = f"live-{uuid4().hex}@here"
    pool = ["-P", "threads", "-c", "8", "--without-gossip", "--without-mingle"]
    with (folder / "log").open("ab") as out:
        worker = forked.start(["-m", "workers", "-Q", QUEUES, "-n", name, *pool], os.environ, out)
    with redis.Redis.from_url(redis_url) as store:
        there = QUEUES.count(",") + 1
        wait_until(lambda: len(list(store.scan_iter(f"aura:worker:*:{name}"))) == there, 180, "the worker works")
    return worker


def thinking(exchange: Exchange) -> None:
    if exchange.asked.path.endswith("/embeddings"):
        fakes.embeddings(lambda _: np.eye(8)[0].tolist())(exchange)
    else:
        fakes.answer(*SENTENCES)(exchange)


def ask(talker: Talker, shared: Path) -> list[dict[str, Any]]:
    """Say something, and return all that comes until the answer is complete and heard."""
    with wave.open(str(shared / "speech" / "spk1_snt1.wav")) as file:
        spoken = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    quiet = np.zeros(8_000, np.float32)
    talker.say(np.concatenate([quiet, spoken / np.abs(spoken).max() / 2, quiet]))
    talker.send(type="commit")
    found = [talker.next()]
    while found[-1]["type"] not in ("turn.completed", "turn.failed"):
        found.append(talker.next())
    if found[-1]["type"] == "turn.completed":
        # All of it has been played: what is said next is no interruption.
        talker.send(type="playback", turn_id=found[-1]["turn_id"], played_ms=60_000)
    return found


def one(found: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(message for message in found if message["type"] == kind)


def heard(found: list[dict[str, Any]], seq: int) -> bytes:
    sound = [message for message in found if message["type"] == "turn.audio" and message["seq"] == seq]
    assert sound[-1]["last"]
    return b"".join(message["pcm"] for message in sound)


def dying(exchange: Exchange) -> None:
    """Speak half a sentence, and hang up."""
    fakes.pcm(sound_of("elevenlabs")[:4096], cut=True)(exchange)


def deaf(refusal: Reply | None = None) -> Reply:
    """Listen to nobody, in silence unless it refuses, and speak as before."""

    def reply(exchange: Exchange) -> None:
        if not exchange.asked.path.endswith("/transcriptions"):
            working("openai")(exchange)
        elif refusal is not None:
            refusal(exchange)
        else:
            silent(exchange)

    return reply


def test_a_conversation_goes_on_when_its_providers_die(
    talker: Talker, far_ends: dict[str, FarEnd], shared_data: Path
) -> None:
    first = ask(talker, shared_data)
    assert one(first, "turn.transcript")["text"] == "openai heard it."
    assert [heard(first, seq) for seq in (0, 1)] == [sound_of("elevenlabs")] * 2

    far_ends["openai"].reply, far_ends["elevenlabs"].reply = deaf(), dying
    second = ask(talker, shared_data)
    assert one(second, "turn.transcript")["text"] == "groq heard it."
    assert one(second, "turn.completed")["response"].split() == "".join(SENTENCES).split()
    broken = [message for message in second if message["type"] == "turn.audio" and message.get("code")]
    assert broken and all(message["code"] == "provider_unavailable" for message in broken)

    far_ends["openai"].reply = deaf(fakes.failure(500))
    third = ask(talker, shared_data)
    assert one(third, "turn.transcript")["text"] == "groq heard it."
    assert one(third, "turn.completed")["response"].split() == "".join(SENTENCES).split()

    far_ends["elevenlabs"].reply = fakes.failure(503)
    fourth = ask(talker, shared_data)
    # OpenAI speaks, or Groq, where a busy machine made OpenAI late.
    said = {heard(fourth, seq) for seq in (0, 1)}
    assert all(len(sound) > 1000 for sound in said) and sound_of("elevenlabs") not in said

    for end in far_ends.values():
        end.reply = fakes.failure(503)
    fifth = ask(talker, shared_data)
    assert (fifth[-1]["type"], fifth[-1]["code"]) == ("turn.failed", "not_heard")
    assert "say it again" in fifth[-1]["detail"]

    far_ends["groq"].reply = working("groq")
    sixth = ask(talker, shared_data)
    assert one(sixth, "turn.completed")["response"].split() == "".join(SENTENCES).split()
