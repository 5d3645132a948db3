"""How each embedding model's cosine becomes a similarity that means the same for all of them.

MiniLM was fitted with `bench/calibrate.py` on XQuAD (English): questions against their own paragraph
and against the best other one. The OpenAI models and the default are estimates from the cosine ranges
their users report, not fits: run the script against a model before relying on its bands.
"""

from pipelines.ports import Calibration

TABLE = {
    "all-MiniLM-L6-v2": Calibration(midpoint=0.40, slope=12.0),
    "text-embedding-3-small": Calibration(midpoint=0.35, slope=14.0),
    "text-embedding-3-large": Calibration(midpoint=0.35, slope=14.0),
    "text-embedding-ada-002": Calibration(midpoint=0.78, slope=40.0),
}

DEFAULT = Calibration(midpoint=0.45, slope=12.0)
"""For a model nobody has fitted."""


def of(model: str) -> Calibration:
    """Return the calibration of `model`."""
    return TABLE.get(model, DEFAULT)
