"""How long texts and recordings are cut: nothing is lost, nothing is larger than allowed."""

import io
import wave
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ports.sound import Audio
from pipelines.providers import calibration, sound
from pipelines.providers.local.minilm import OVERLAP, TOKENS_PER_RUN, WINDOW, runs, windows


@given(st.integers(0, 5000))
def test_windows_cover_every_piece_overlap_and_fit(count: int) -> None:
    found = list(windows(list(range(count))))
    assert all(len(window) <= WINDOW - 2 for window in found)
    assert sorted({piece for window in found for piece in window}) == list(range(count))
    for one, other in pairwise(found):
        assert one[-OVERLAP:] == other[:OVERLAP]
    if len(found) > 1:
        lengths = [len(window) for window in found]
        assert max(lengths) - min(lengths) <= 1
    else:
        assert found == [list(range(count))]


@given(st.lists(st.integers(2, WINDOW), max_size=60))
def test_runs_hold_every_window_once_within_their_size(lengths: list[int]) -> None:
    owned = [(owner, [7] * length) for owner, length in enumerate(lengths)]
    found = list(runs(owned))
    assert sorted(owner for run in found for owner, _ in run) == list(range(len(lengths)))
    for run in found:
        assert run
        assert len(run) * max(len(ids) for _, ids in run) <= TOKENS_PER_RUN


def test_pieces_of_a_recording_lose_nothing() -> None:
    samples = np.random.default_rng(1).standard_normal(1000 * 95).astype(np.float32)
    found = list(sound.pieces(Audio(samples, 1000), longest_s=40, search_s=10))
    assert all(piece.duration_s <= 40 for piece in found)
    assert np.array_equal(np.concatenate([piece.samples for piece in found]), samples)


def test_a_recording_is_cut_in_its_pause() -> None:
    samples = np.ones(1000 * 60, np.float32)
    samples[35_000:35_100] = 0
    first, _ = sound.pieces(Audio(samples, 1000), longest_s=40, search_s=10)
    assert 35 <= first.duration_s <= 35.1


def test_a_short_recording_stays_whole() -> None:
    whole = Audio(np.ones(10, np.float32), 1000)
    assert list(sound.pieces(whole, longest_s=40)) == [whole]


def test_loud_samples_are_clipped_not_wrapped() -> None:
    data = sound.wav(Audio(np.array([0, 2, -2], np.float32), 8000))
    with wave.open(io.BytesIO(data)) as file:
        assert list(np.frombuffer(file.readframes(3), "<i2")) == [0, 32767, -32768]


def test_each_calibration_has_room_for_all_bands() -> None:
    for name, found in {**calibration.TABLE, "unknown": calibration.of("unknown")}.items():
        assert 0 < found.cosine(0.6) < found.cosine(0.7) < found.cosine(0.8) < 1, name
