"""The telephone's 8 bits a sample (ITU-T G.711), µ-law and A-law, as values."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def _mulaw() -> Samples:
    """Return the 256 values of µ-law, -1…1: inverted bits, then sign, exponent (3) and mantissa (4) over a bias."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = code >> 4 & 7, code & 15
    magnitude = ((mantissa.astype(np.int32) << 3) + 132 << exponent.astype(np.int32)) - 132
    return np.asarray(np.where(code & 0x80, -magnitude, magnitude) / 32768, np.float32)


def _alaw() -> Samples:
    """Return the 256 values of A-law, -1…1: every second bit inverted, a positive value has its first bit set."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    linear = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, linear, linear + 256 << np.maximum(exponent - 1, 0))
    return np.asarray(np.where(code & 0x80, magnitude, -magnitude) / 32768, np.float32)


VALUES = {"mulaw": _mulaw(), "alaw": _alaw()}
"""The value of each byte, shape (256,), by encoding."""
