"""Answers that people speak into: over real sockets, a real queue and real workers, with providers of fixed delays."""

import os
import random
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from tests.integration import whole_stack
from tests.integration.barge_in.callers import NUMBERS, Caller, far_ends
from tests.integration.reindex.stacks import SPOKEN_TURN
from tests.integration.relay.talking import ROOT

BARGE_INS = int(os.environ.get("AURA_BARGE_INS", "10"))
ASIDES = BARGE_INS // 2 if BARGE_INS > 10 else BARGE_INS
CALLERS = 5
STOPPED_S, WORDS_OFF, WENT_ON = (0.3, 1, 0.8) if BARGE_INS > 10 else (10.0, 13, 0.6)
"""How soon all is quiet, by how many words the history may be off (13 are a sentence), and how many go on at least.

A short run is one of many tests at once, on whatever machine: it looks for what is wrong, not for what is slow.
"""

SPEECH = ROOT.parent / "shared" / "data" / "speech"


def recording(name: str) -> np.ndarray:
    """Return a read sentence from its first sound on, 16 kHz float32, peak 0.5."""
    path = SPEECH / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    samples = samples / np.abs(samples).max() / 2
    frames = np.sqrt(np.square(samples[: len(samples) // 160 * 160]).reshape(-1, 160).mean(axis=1))
    return samples[int(np.argmax(frames > 0.03)) * 160 :]


@pytest.fixture(scope="module")
def stack(servers: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the address of a web process."""
    folder = tmp_path_factory.mktemp("barge-in")
    with whole_stack.running(servers, folder, far_ends(), voices_at, SPOKEN_TURN):
        yield folder / "web"


def voices_at(url: str) -> dict[str, str]:
    """Return the settings of recognition and speech by an OpenAI-compatible server."""
    return {
        "AURA_TRANSCRIBER": "custom",
        "AURA_TRANSCRIPTION_MODEL": "ears",
        "AURA_TRANSCRIBER_BASE_URL": f"{url}/v1",
        "AURA_SPEAKER": "custom",
        "AURA_SPEAKER_BASE_URL": f"{url}/v1",
        "AURA_SPEECH_MODEL": "mouth",
        "AURA_SPEECH_VOICE": "ada",
        "AURA_SPEECH_FORMAT": "pcm",
    }


def all_at_once(path: Path, times: int, act: Callable[[Caller, random.Random, int], Any]) -> list[tuple[Caller, Any]]:
    """Let callers talk side by side, each acting several times; return each act's caller and what came of it."""

    def call(number: int) -> list[tuple[Caller, Any]]:
        caller, dice = Caller(path), random.Random(number)
        caller.until("listening")
        caller.send(type="text", text=f"Tell me story {number}.")
        found = [(caller, act(caller, dice, n)) for n in range(times // CALLERS)]
        # Nobody is stuck: whatever happened, the next question is answered.
        caller.send(type="cancel")
        caller.live(0.2)
        caller.send(type="text", text=f"And another story {number}?")
        caller.until_heard(0.5)
        caller.send(type="stop")
        caller.cut()
        return found

    with ThreadPoolExecutor(CALLERS) as callers:
        return [one for found in callers.map(call, range(CALLERS)) for one in found]


@dataclass(frozen=True)
class Cut:
    """An answer that was cut: after how long it was quiet, and what the caller had heard."""

    turn_id: str
    stopped_s: float
    words: list[str]


def test_speech_into_an_answer_stops_it_and_the_history_keeps_what_was_heard(
    stack: Path, admin: psycopg.Connection
) -> None:
    speech = [recording(f"spk{speaker}_snt{n}.wav") for speaker in (1, 2) for n in range(1, 6)]

    def barge_in(caller: Caller, dice: random.Random, number: int) -> Cut:
        caller.until_heard(dice.uniform(0.3, 5.0))
        turn_id, spoken_at = caller.playing, caller._due
        caller.live(0.0, speech[dice.randrange(len(speech))])
        stopped_s = caller.played_at - spoken_at
        deadline = 1200
        while not any(m["type"] == "turn.cancelled" and m["turn_id"] == turn_id for m in caller.told) and deadline:
            caller.live(0.05)
            deadline -= 1
        return Cut(turn_id, stopped_s, caller.words_heard(turn_id))

    cuts = [cut for _, cut in all_at_once(stack, BARGE_INS, barge_in)]
    stopped = np.array([cut.stopped_s for cut in cuts])
    print(f"{len(cuts)} barge-ins stopped after {np.percentile(stopped, [50, 95, 100]).round(3)} s (p50, p95, max)")  # noqa: T201 (what `make voice` shows)
    assert np.percentile(stopped, 95) <= STOPPED_S
    rows = admin.execute(
        "SELECT turn_id::text, content FROM messages WHERE role = 'assistant' AND turn_id = ANY(%s::uuid[])",
        ([cut.turn_id for cut in cuts],),
    ).fetchall()
    kept = {turn_id: content.split() for turn_id, content in rows}
    for cut in cuts:
        said = kept.get(cut.turn_id, [])
        assert abs(len(said) - len(cut.words)) <= WORDS_OFF, (said, cut.words)
        shorter = min(len(said), len(cut.words))
        assert said[:shorter] == cut.words[:shorter]


def test_coughs_and_backchannels_let_the_answer_go_on(stack: Path) -> None:
    words = [recording(f"spk{speaker}_snt{n}.wav") for speaker in (1, 2) for n in range(1, 6)]

    def aside(caller: Caller, dice: random.Random, number: int) -> bool:
        if number == 0 or caller.state != "speaking":
            if number:
                caller.send(type="text", text=f"One more story {number}.")
            caller.until_heard(0.4)
        turn_id = caller.playing
        sound = words[dice.randrange(len(words))][: int(16_000 * dice.uniform(0.2, 0.5))]
        if dice.random() < 0.4:
            noise = np.random.default_rng(number).normal(0, 0.2, int(16_000 * dice.uniform(0.1, 0.3)))
            sound = (noise * np.exp(-np.arange(len(noise)) / 1600)).astype(np.float32)
        caller.live(2.2, sound)
        return not any(m["type"] == "turn.cancelled" and m["turn_id"] == turn_id for m in caller.told)

    found = all_at_once(stack, ASIDES, aside)
    resumed = [went_on for _, went_on in found]
    print(f"{sum(resumed)} of {len(resumed)} answers went on")  # noqa: T201 (what `make voice` shows)
    assert sum(resumed) >= WENT_ON * len(resumed)
    for caller in {caller for caller, _ in found}:
        for turn_id, heard in caller.heard.items():
            # No sentence is missing, none comes twice.
            assert heard == sorted(heard), turn_id
            assert set(heard) <= set(range(1, len(NUMBERS) + 1))
            assert set(heard) == set(range(1, max(heard) + 1))
