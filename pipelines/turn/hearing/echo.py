"""Whether a sound is the assistant's own answer, come back from the listener's loudspeaker."""

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.sound import STT_RATE_HZ

Samples = NDArray[np.float32]

SPAN = 4096
"""Samples that are compared, and that are evened out at once: 256 ms."""

DOWN = 4
"""Compared is every fourth sample."""

BAND = slice(250 * SPAN // STT_RATE_HZ, 1900 * SPAN // STT_RATE_HZ)
"""Bins of a span's spectrum, 250…1,900 Hz: what small loudspeakers play and every microphone hears."""

EVENED = 30 * SPAN // STT_RATE_HZ
"""Bins to each side, 30 Hz, over which a spectrum is made flat: voices of like pitch are not alike then."""

KEPT_S = 30.0
"""Of the answer: a client may play what was sent to it long before."""

LATEST_S = 2.0
"""How long after its end an answer may still come back."""

ALIKE = 0.45
"""Correlation with anything that was played from which a sound is an echo: other voices reach 0.41 in 30 s, echoes
0.1 below the noise of a room to 0.3…0.8 above it."""

STILL_ALIKE, NEAR = 0.22, 60
"""The same with what is due at the delay of the last echo, 15 ms more or less: other voices reach 0.16."""


class Echo:
    """Compares a session's sound with what is played to it.

    Delay, loudness and the loudspeaker's tone need not be known: the wave itself is looked for in all
    that was played of late. Whoever speaks over the answer is louder than its echo and hides it. Costs
    nothing where nothing is played, 0.1 % of a core while something is, a millisecond or two for a sound
    that may begin an utterance. Keeps 240 kB, until the answer is over.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget what was played."""
        self._rest: Samples = np.zeros(0, np.float32)
        self._played: NDArray[np.float16] = np.zeros(0, np.float16)
        self._dropped = 0
        self._until_s = -np.inf
        self._place: int | None = None
        """Where in what was played the last echo was, less its time in the session."""

    def played(self, samples: Samples, now_s: float) -> None:
        """Take 16 kHz mono `samples` that are played from `now_s` on, or after those before."""
        if not len(self._played):  # The silence before it is part of the pattern, too.
            self._played = np.zeros(SPAN // DOWN, np.float16)
        joined = np.concatenate((self._rest, samples))
        spans = joined[: len(joined) // SPAN * SPAN].reshape(-1, SPAN)
        self._rest = joined[spans.size :]
        self._played = np.concatenate((self._played, *(_evened(span).astype(np.float16) for span in spans)))
        excess = max(len(self._played) - int(KEPT_S * STT_RATE_HZ / DOWN), 0)
        self._played, self._dropped = self._played[excess:], self._dropped + excess
        self._until_s = max(self._until_s, now_s) + len(samples) / STT_RATE_HZ

    def may_come(self, now_s: float) -> bool:
        """Return whether something that was played may come back at `now_s`; what is too old is forgotten."""
        if now_s > self._until_s + LATEST_S and len(self._played):
            self.forget()
        return len(self._played) > 0

    def goes_on(self, sound: Samples, now: int) -> bool:
        """Return whether `sound`, SPAN samples up to `now`, is what the last echo goes on with."""
        if self._place is None:
            return False
        at = self._place + now // DOWN - self._dropped
        likeness = _likeness(_evened(sound), self._between(max(at - NEAR, 0), max(at + SPAN // DOWN + NEAR, 0)))
        return likeness.size > 0 and bool(likeness.max() >= STILL_ALIKE)

    def begins(self, sound: Samples, now: int) -> bool:
        """Return whether `sound`, SPAN samples up to sample `now` of the session, was played at any time of late."""
        likeness = _likeness(_evened(sound), self._between(0, len(self._played) + SPAN // DOWN))
        if not likeness.size or likeness.max() < ALIKE:
            return False
        self._place = int(likeness.argmax()) + self._dropped - now // DOWN
        return True

    def _between(self, begin: int, end: int) -> Samples:
        """Return a part of what was played, evened out; what fills no span yet ends in silence."""
        whole = self._played[begin:end].astype(np.float32)
        if end <= len(self._played):
            return whole
        tail = _evened(np.pad(self._rest, (0, SPAN - len(self._rest))))
        return np.concatenate((whole, tail[max(begin - len(self._played), 0) : end - len(self._played)]))


def _evened(span: Samples) -> Samples:
    """Return SPAN samples with a flat spectrum in the band, every DOWNth of them."""
    spectrum = np.fft.rfft(span)
    size = np.abs(spectrum)
    summed = np.concatenate((np.zeros(1, size.dtype), np.cumsum(size)))
    low, high = BAND.start, BAND.stop
    around = (summed[low + EVENED : high + EVENED] - summed[low - EVENED : high - EVENED]) / (2 * EVENED)
    flat = np.zeros(SPAN // DOWN // 2 + 1, np.complex64)
    flat[BAND] = spectrum[BAND] / (around + 1e-9 * size.max() + 1e-12)
    return np.asarray(np.fft.irfft(flat, SPAN // DOWN), np.float32)


def _likeness(heard: Samples, played: Samples) -> Samples:
    """Return the size of the correlation, 0…1, of `heard` with each stretch of `played` as long."""
    if len(played) <= len(heard):
        return np.zeros(0, np.float32)
    length = (len(played) // SPAN + 2) * SPAN
    both = np.fft.rfft(played, length) * np.conj(np.fft.rfft(heard, length))
    product = np.fft.irfft(both, length)[: len(played) - len(heard)]
    power = np.concatenate((np.zeros(1), np.cumsum(np.square(played, dtype=np.float64))))
    theirs = power[len(heard) : len(heard) + len(product)] - power[: len(product)]
    # Where nearly nothing was played, nothing is like it.
    theirs = np.maximum(theirs, theirs.max() * 1e-3)
    return np.asarray(np.abs(product) / np.sqrt(theirs * np.vdot(heard, heard) + 1e-9), np.float32)
