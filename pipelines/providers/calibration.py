"""How each embedding model's cosine becomes a similarity that means the same for all of them.

MiniLM's was fitted by `bench/calibrate.py` on XQuAD (English, 1,190 questions, 240 paragraphs): at
similarity 0.7 a paragraph is as likely the question's own as the best of all others. 0.8 was reached by
60 % of own and 14 % of other paragraphs, 0.6 by 83 and 39 %. The OpenAI models and the default are
estimates from cosine ranges their users report, not fits: run the script before relying on their bands.
"""

from pipelines.ports.models import Calibration

TABLE = {
    "all-MiniLM-L6-v2": Calibration(midpoint=0.404, slope=9.4),
    "text-embedding-3-small": Calibration(midpoint=0.35, slope=11.0),
    "text-embedding-3-large": Calibration(midpoint=0.35, slope=11.0),
    "text-embedding-ada-002": Calibration(midpoint=0.795, slope=40.0),
}

DEFAULT = Calibration(midpoint=0.45, slope=10.0)
"""For a model nobody has fitted."""


def of(model: str) -> Calibration:
    """Return the calibration of `model`."""
    return TABLE.get(model, DEFAULT)
