"""Embed texts in batches, and write vectors into an artefact."""

import io
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.ports import Embedder

REMOTE_BATCH = 100
"""Chunks of one part where a provider is called: one request each."""

LOCAL_BATCH = 16
"""Chunks of one part where the model runs here: two seconds or so, so that a crash costs little."""


def embed(texts: Sequence[str], embedder: Embedder) -> NDArray[np.float32]:
    """Return unit vectors, shape (len(texts), embedder.width), in the order of `texts`.

    Sends at most `embedder.batch_size` texts a call. Raises ProviderUnavailable or RateLimited.
    """
    size = embedder.batch_size
    batches = [embedder.embed(texts[start : start + size]) for start in range(0, len(texts), size)]
    return np.concatenate(batches) if batches else np.empty((0, embedder.width), np.float32)


def pack(vectors: NDArray[np.float32]) -> bytes:
    """Return vectors as .npy in half precision, as they are stored."""
    buffer = io.BytesIO()
    np.save(buffer, vectors.astype(np.float16), allow_pickle=False)
    return buffer.getvalue()


def join(parts: Iterable[bytes]) -> NDArray[np.float32]:
    """Return the vectors of all parts, given in order, shape (chunks, width)."""
    return np.concatenate([np.load(io.BytesIO(part), allow_pickle=False) for part in parts]).astype(np.float32)
