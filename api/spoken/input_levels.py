"""How loud a client's sound comes in, told now and then, and a warning where it is cut off."""

import time
from collections.abc import Callable

from api.spoken.talk import Ears, Message
from schemas.events import SessionEvent

EVERY_S = 0.2
CLIPPED_SHARE = 0.005
"""Share of samples at full scale from which on words suffer; loud music has far less."""

WARN_EVERY_S = 15.0


class InputLevels:
    """Reads the level of the ears five times a second; tells it where it is `wanted`, and of clipping always."""

    def __init__(self, ears: Ears, tell: Callable[[Message], None], wanted: bool) -> None:
        self._ears, self._tell, self._wanted = ears, tell, wanted
        self._read_at = time.monotonic()
        self._warned_at = -WARN_EVERY_S

    def heard(self, jitter_ms: int) -> None:
        """Tell what is due; called after each frame."""
        now = time.monotonic()
        if now - self._read_at < EVERY_S:
            return
        self._read_at = now
        level = self._ears.level()
        clipped = round(level.clipped_share, 4)
        if self._wanted:
            about = {"rms_db": round(level.rms_db, 1), "peak": round(level.peak, 3), "clipped_share": clipped}
            self._tell({"type": SessionEvent.INPUT_LEVEL, **about, "jitter_ms": jitter_ms})
        if clipped >= CLIPPED_SHARE and now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            detail = "The microphone is too loud: its sound is cut off. Lower its volume."
            self._tell({"type": SessionEvent.INPUT_CLIPPING, "clipped_share": clipped, "detail": detail})
