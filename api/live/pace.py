"""How fast a client may send."""

import time


class Pace:
    """A bucket that holds `burst` and refills by `per_s` a second; it measures, it does not wait."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._left = burst
        self._at = time.monotonic()

    def take(self, amount: float) -> float:
        """Take `amount` and return for how many seconds the taker is to rest; 0 while within bounds."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s) - amount
        self._at = now
        return max(0.0, -self._left / self._per_s)
