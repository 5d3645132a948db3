"""`make demo`: the whole product on the samples, over its public interfaces."""

import os
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from deploy.ephemeral import Stack
from deploy.places import REPO, free_port
from pipelines.providers import weights


def demo(answer: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURA_")}
    return subprocess.run(
        [sys.executable, "-m", "deploy.demo", "--answer", answer],
        cwd=REPO,
        env={**kept, **settings, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )


def test_the_demo_answers_in_writing_and_in_speech(stack: Stack, tmp_path: Path) -> None:
    if weights.missing("piper-joe"):
        pytest.skip(weights.missing("piper-joe"))
    answer = tmp_path / "answer.wav"

    for _ in range(2):
        # The voice says nothing twice alike, and may mumble once.
        shown = demo(answer, AURA_DATA_DIR=str(stack.data_dir), **stack.runtime())
        if shown.returncode == 0:
            break

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "28 days of paid holiday" in shown.stdout
    assert "employee-handbook.pdf, page 3" in shown.stdout
    assert "blue rack" in shown.stdout
    assert "Every step worked." in shown.stdout
    with wave.open(str(answer)) as sound:
        assert sound.getnframes() / sound.getframerate() > 2


def test_a_demo_whose_steps_fail_says_so_and_exits_non_zero(tmp_path: Path) -> None:
    shown = demo(tmp_path / "answer.wav", AURA_DATA_DIR=str(tmp_path), AURA_PORT=str(free_port()))

    assert shown.returncode == 1
    assert "4 of 4 steps failed" in shown.stdout
