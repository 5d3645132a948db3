"""Whether a voice came to an end by its melody: at the end of what they say, people let their pitch fall."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.sound import STT_RATE_HZ

Samples = NDArray[np.float32]
Readings = NDArray[Any]

DOWN = 4
RATE_HZ = STT_RATE_HZ // DOWN

HEARD_S = 4.0
"""Of the utterance's end: what is usual for this voice, and where its last sound was."""

SPAN, HOP, SIZE = RATE_HZ // 20, RATE_HZ // 50, 512
"""Samples of one reading (50 ms), to the next one (20 ms), and of its spectrum."""

LAGS = slice(RATE_HZ // 400, RATE_HZ // 65)
"""Periods of 400…65 Hz."""

CLEAR = 0.6
"""Autocorrelation from which a reading has a pitch."""

RANGE_DB = 25.0
"""What is this much quieter than the loudest readings is not counted."""

LAST = 20
"""Readings at the end, 0.4 s, among which the last pitch is."""

FEWEST, AT_END = 8, 3
"""Readings with a pitch that are needed in all and at the end."""

LEVEL, LOW, RISEN = -0.05, -0.3, 0.25
"""Octaves above the voice's usual pitch: held, fallen to the end of a sentence, and risen as in a question.

From studies of final lowering a speaker's sentences end 3 to 6 half tones below their middle."""

_WINDOW = np.hanning(SPAN).astype(np.float32)
_OWN = np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, SIZE)) ** 2)
_OWN = (_OWN / _OWN[0])[: LAGS.stop].astype(np.float32)
"""The window's own autocorrelation, which makes longer periods seem weaker."""


def finality(sound: Samples) -> float:
    """Return how a 16 kHz utterance ends: 1 with a fallen pitch, -1 with one that is held, 0 where that is not clear.

    Reads at most the last four seconds, in about a millisecond.
    """
    pitch, level_db = _read(sound[-int(HEARD_S * STT_RATE_HZ) :])
    if not len(pitch):
        return 0.0
    # The quiet after the last sound is not the utterance's end.
    loud = level_db > np.percentile(level_db, 95) - RANGE_DB
    end = int(np.flatnonzero(loud)[-1]) + 1
    clear = np.flatnonzero(loud & np.isfinite(pitch))
    last = clear[clear >= end - LAST][-6:]
    if len(clear) < FEWEST or len(last) < AT_END:
        return 0.0
    above = float(np.median(pitch[last]) - np.median(pitch[clear]))
    if above > RISEN:
        return 0.0
    return float(np.interp(above, (LOW, (LOW + LEVEL) / 2, LEVEL), (1.0, 0.0, -1.0)))


def _read(sound: Samples) -> tuple[Readings, Readings]:
    """Return the pitch of each reading in octaves, NaN where there is none, and its level in dB."""
    count = (len(sound) // DOWN - SPAN) // HOP + 1
    if count < 1:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    slow = sound[: len(sound) // DOWN * DOWN].reshape(-1, DOWN).mean(axis=1)
    spans = np.lib.stride_tricks.sliding_window_view(slow, SPAN)[::HOP][:count]
    spans = (spans - spans.mean(axis=1, keepdims=True)) * _WINDOW
    alike = np.fft.irfft(np.abs(np.fft.rfft(spans, SIZE, axis=1)) ** 2, axis=1)[:, : LAGS.stop]
    power = alike[:, 0]
    alike = alike / (power[:, None] + 1e-9) / _OWN
    within = alike[:, LAGS]
    best = within.max(axis=1)
    # The shortest period that explains it nearly as well as any: twice a period is as much alike.
    at = (within >= 0.9 * best[:, None]).argmax(axis=1) + LAGS.start
    rows = np.arange(count)
    at = np.where((at + 1 < LAGS.stop) & (alike[rows, np.minimum(at + 1, LAGS.stop - 1)] > alike[rows, at]), at + 1, at)
    pitch = np.log2(RATE_HZ / at)
    return np.where(best >= CLEAR, pitch, np.nan), 10 * np.log10(power + 1e-12)
