"""Frames with their times become one sound without a gap, whatever the network did to them."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.turn.sound.gaps import LONGEST_MS, WAIT_MS, InOrder, comfort
from tests.unit.turn.recordings import tone

Samples = NDArray[np.float32]
FRAME_MS = 20
SOUND = tone(1, 16_000) + np.float32(0.001)
FRAMES = [(100.0 + at * FRAME_MS, SOUND[at * 320 : at * 320 + 320]) for at in range(50)]


def put_in_order(frames: list[tuple[float, Samples]]) -> Samples:
    line = InOrder()
    return np.concatenate([*(line.take(at_ms, frame) for at_ms, frame in frames), line.flush()])


def test_frames_in_time_pass_at_once_and_unchanged() -> None:
    line = InOrder()
    for at_ms, frame in FRAMES:
        np.testing.assert_array_equal(line.take(at_ms, frame), frame)


@given(seed=st.integers(0, 1 << 30))
def test_frames_that_overtook_each_other_are_heard_in_order_and_once(seed: int) -> None:
    chance = random.Random(seed)
    # No frame comes later than the two after it; some come twice.
    late = sorted(FRAMES[1:], key=lambda frame: frame[0] + chance.uniform(0, 2 * FRAME_MS))
    twice = [frame for frame in late for _ in range(chance.choice((1, 1, 2)))]
    np.testing.assert_array_equal(put_in_order([FRAMES[0], *twice]), SOUND)


@given(lost=st.sets(st.integers(1, 48), max_size=20))
def test_lost_frames_are_filled_with_faint_noise_of_their_length(lost: set[int]) -> None:
    found = put_in_order([frame for number, frame in enumerate(FRAMES) if number not in lost])
    assert len(found) == len(SOUND)
    for number in range(50):
        part = found[number * 320 : number * 320 + 320]
        if number in lost:
            assert 0 < np.abs(part).max() < 0.002
        else:
            np.testing.assert_array_equal(part, SOUND[number * 320 : number * 320 + 320])


@given(drifts=st.lists(st.floats(-4, 4), min_size=50, max_size=50))
def test_times_that_are_not_exact_change_nothing(drifts: list[float]) -> None:
    frames = [(at_ms + drift, frame) for (at_ms, frame), drift in zip(FRAMES, drifts, strict=True)]
    np.testing.assert_array_equal(put_in_order(frames), SOUND)


def test_a_frame_that_comes_when_its_place_is_filled_is_left_out() -> None:
    line = InOrder()
    heard = [line.take(*frame) for number, frame in enumerate(FRAMES) if number != 5]
    assert len(line.take(*FRAMES[5])) == 0
    assert sum(map(len, heard)) == len(SOUND)


def test_what_is_held_is_bounded() -> None:
    line = InOrder()
    waiting = list(itertools.accumulate(len(line.take(at_ms, frame)) for at_ms, frame in FRAMES[:1] + FRAMES[3:]))
    taken = list(itertools.accumulate(len(frame) for _, frame in FRAMES[:1] + FRAMES[3:]))
    assert max(a - b for a, b in zip(taken, waiting, strict=True)) <= WAIT_MS * 16
    assert waiting[-1] == len(SOUND)


@pytest.mark.parametrize("jump_ms", [3_000.0, 1e9, 1e300])
def test_a_long_gap_is_filled_only_so_far(jump_ms: float) -> None:
    line = InOrder()
    line.take(0.0, FRAMES[0][1])
    found = [line.take(jump_ms + at_ms, frame) for at_ms, frame in FRAMES]
    assert sum(map(len, found)) <= LONGEST_MS * 16 + len(SOUND)


def test_a_clock_that_begins_anew_deafens_nobody() -> None:
    found = put_in_order([*FRAMES, *((at_ms - 50_000, frame) for at_ms, frame in FRAMES)])
    np.testing.assert_array_equal(found, np.concatenate([SOUND, SOUND]))


def test_comfort_is_faint_and_never_silent() -> None:
    assert 10 * np.log10((comfort(16_000) ** 2).mean()) == pytest.approx(-72, abs=1)
