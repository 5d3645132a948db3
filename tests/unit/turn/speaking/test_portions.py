"""Sound in few pieces: the first at once, nothing held back for long, nothing lost where it breaks off."""

import threading
import time
from collections.abc import Iterator

import pytest

from pipelines.turn.generating.reading import Limits, Reading
from pipelines.turn.speaking.portions import portions
from schemas.errors.providers import ProviderUnavailable

RATE_HZ = 8_000
TENTH = bytes(1_600)
"""100 ms of sound."""


def reading(pieces: Iterator[bytes]) -> Reading[bytes]:
    return Reading("far", pieces, Limits(5, 5, 10))


def test_fast_sound_goes_in_few_portions_of_half_a_second_at_most() -> None:
    found = [piece for piece in portions(reading(iter([TENTH] * 30)), RATE_HZ) if piece]

    assert sum(map(len, found)) == 30 * len(TENTH)
    assert found[0] == TENTH
    assert max(map(len, found)) == 5 * len(TENTH)
    assert len(found) < 12


def test_a_listener_who_has_little_is_given_each_piece_at_once() -> None:
    """Nothing comes after the first two pieces until they have arrived."""
    arrived = threading.Event()

    def far() -> Iterator[bytes]:
        yield TENTH
        yield TENTH
        arrived.wait(60)
        yield TENTH

    found = []
    for piece in portions(reading(far()), RATE_HZ):
        if piece:
            found.append(piece)
        if sum(map(len, found)) == 2 * len(TENTH):
            arrived.set()
    assert [len(piece) for piece in found] == [len(TENTH)] * 3


def test_what_waits_is_handed_on_though_the_provider_stalls() -> None:
    stalled = threading.Event()

    def far() -> Iterator[bytes]:
        for _ in range(7):
            yield TENTH
        stalled.wait(300)
        yield TENTH

    pieces, given = portions(reading(far()), RATE_HZ), 0
    began = time.monotonic()
    while given < 7 * len(TENTH):
        given += len(next(pieces))
    assert time.monotonic() - began < 60
    stalled.set()
    assert sum(map(len, pieces)) == len(TENTH)


def test_what_came_before_an_error_is_handed_on_before_it() -> None:
    def far() -> Iterator[bytes]:
        yield from [TENTH] * 6
        raise ProviderUnavailable("It broke.")

    found = b""
    with pytest.raises(ProviderUnavailable):
        for piece in portions(reading(far()), RATE_HZ):
            found += piece
    assert len(found) == 6 * len(TENTH)
