"""Sound handed on in few pieces: each costs all that it passes through, and a listener hears no difference."""

import time
from collections.abc import Iterator

from pipelines.turn.generating.reading import Ended, Reading
from pipelines.turn.speaking.synthesize import portion_bytes

AHEAD_S = 0.2
"""A listener who has so many seconds of a sentence can wait for more of it a moment."""

GATHER_S = 0.06
"""How long that is."""


def portions(reading: Reading[bytes], sample_rate_hz: int) -> Iterator[bytes]:
    """Yield mono PCM16 as it is read, an empty piece where the reading is silent for a moment.

    Until `AHEAD_S` are handed on each piece goes at once, from then on what comes within `GATHER_S` goes together.
    Raises what the provider raises, after what came before it.
    """
    a_second = 2 * sample_rate_hz
    most = portion_bytes(sample_rate_hz)
    began, given = 0.0, 0
    ended: BaseException | None = None
    while ended is None:
        found, ended = _gathered(reading, began + given / a_second - AHEAD_S if given else 0.0, most)
        began = began or time.monotonic() * bool(found)
        given += len(found)
        for start in range(0, max(1, len(found)), most):
            yield found[start : start + most]
    if not isinstance(ended, Ended):
        raise ended


def _gathered(reading: Reading[bytes], until: float, most: int) -> tuple[bytes, BaseException | None]:
    """Return what is read next and, until then or until it is enough, after it; and how it ended, if it did."""
    found = bytearray()
    try:
        found += reading.next() or b""
        until = min(until, time.monotonic() + GATHER_S)
        while found and len(found) < most and (left_s := until - time.monotonic()) > 0:
            found += reading.next(left_s) or b""
    except BaseException as error:  # noqa: BLE001 (it is raised behind the sound that came before)
        return bytes(found), error
    return bytes(found), None
