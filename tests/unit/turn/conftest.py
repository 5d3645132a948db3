"""Recorded speech for the tests of hearing."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.turn.sound.audio import decode

CLIPS = [f"spk{speaker}_snt{sentence}" for speaker, sentence in itertools.product((1, 2), (1, 2, 3, 4, 5))]


@pytest.fixture(scope="session")
def speech(shared_data: Path) -> dict[str, NDArray[np.float32]]:
    """Ten sentences of two speakers, 16 kHz."""
    folder = shared_data / "speech"
    if not all((folder / f"{name}.wav").is_file() for name in CLIPS):
        pytest.skip(f"needs recorded sentences at {folder}")
    return {name: decode((folder / f"{name}.wav").read_bytes(), 60).samples for name in CLIPS}
