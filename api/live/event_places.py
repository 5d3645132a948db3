"""How many may follow one organisation's events at once: such a stream never ends by itself."""

import threading
from collections import Counter
from collections.abc import Callable
from uuid import UUID

from schemas.errors.providers import TooBusy
from schemas.settings import get_settings

SHARE = 0.5
"""Of a process's seats: what one organisation's followers may hold, so that others find one."""

_lock = threading.Lock()
_taken: Counter[UUID] = Counter()


def take_place(tenant_id: UUID) -> Callable[[], None]:
    """Return what gives the place back, once. Raises TooBusy."""
    with _lock:
        if _taken[tenant_id] >= max(1, int(get_settings().max_sockets * SHARE)):
            raise TooBusy("The organisation follows its events as often as it may.", retry_after_s=5)
        _taken[tenant_id] += 1
    there = [tenant_id]

    def leave() -> None:
        with _lock:
            if there:
                _taken[there.pop()] -= 1
                if not _taken[tenant_id]:
                    del _taken[tenant_id]

    return leave
