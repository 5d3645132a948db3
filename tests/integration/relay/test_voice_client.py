"""The example client of the protocol page: it talks, plays, and interrupts."""

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from schemas.events import EventName
from tests.integration.relay import voice_app
from tests.integration.relay.talking import ROOT, Web, Workers, sound_of

CLIENT = ROOT / "docs" / "examples" / "voice_client.py"
SPEECH = ROOT.parent / "shared" / "data" / "speech"


def test_the_example_client_talks_interrupts_and_plays(web: Web, workers: Workers, tmp_path: Path) -> None:
    recordings = [SPEECH / "spk1_snt1.wav", SPEECH / "spk1_snt3.wav"]
    if not all(path.is_file() for path in recordings):
        pytest.skip(f"needs {SPEECH}")
    url, out = f"ws://127.0.0.1:{web.port}/ws/voice/continuous", tmp_path / "heard.wav"
    command = [sys.executable, str(CLIENT), str(recordings[0]), "--url", url, "--out", str(out)]
    command += ["--interrupt", str(recordings[1]), "--after", "0.3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        first = workers.next_turn()
        workers.tell(first, EventName.TURN_SENTENCE, seq=0, text="One two three four five six seven eight.")
        for part in range(8):
            workers.speak(first, 0, part, sound_of(1, 0, 0.7), last=part == 7)
        turn_id, heard, played_ms, reason = workers.next_done(voice_app.CUT)
        assert (turn_id, reason) == (first["turn_id"], "barge_in") and 300 < played_ms <= 5600
        assert "One two three four five six seven eight.".startswith(heard)
        workers.answer(workers.next_turn(), sentences=1, parts=2)
        printed, _ = client.communicate(timeout=120)
    assert client.returncode == 0
    assert "'type': 'playback.pause'" in printed and "'text': 'what was said'" in printed
    with wave.open(str(out)) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, 24_000)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    # Of the first answer about as much was played as the session says was heard, of the second all.
    assert abs((np.abs(samples - 1000) < 5).sum() / 24 - played_ms) < 1000
    assert (np.abs(samples) < 5).sum() / 24_000 > 0.1


def test_the_example_client_is_short() -> None:
    assert len(CLIENT.read_text().splitlines()) <= 100
