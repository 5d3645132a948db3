"""Vectors from the body of a reply to OpenAI's embeddings request."""

import base64

import msgspec
import numpy as np
from numpy.typing import NDArray


class _Row(msgspec.Struct):
    index: int
    embedding: str | list[float]

    def numbers(self) -> NDArray[np.float32] | list[float]:
        """Return the vector. It comes in base64, as the SDK asks for it, except from servers that do not know that."""
        if isinstance(self.embedding, str):
            return np.frombuffer(base64.b64decode(self.embedding, validate=True), "<f4")
        return self.embedding


class _Reply(msgspec.Struct):
    data: list[_Row]


_replies = msgspec.json.Decoder(_Reply)


def read(body: bytes, count: int) -> NDArray[np.float32]:
    """Return the unit vectors of a reply in the order of its `count` texts, shape (count, width).

    Raises ValueError for a reply of another shape, or with a vector that has no direction.
    """
    rows = sorted(_replies.decode(body).data, key=lambda row: row.index)
    found = np.array([row.numbers() for row in rows], np.float32)
    if found.ndim != 2 or [row.index for row in rows] != list(range(count)):
        raise ValueError("not one vector for each text")
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise ValueError("a vector without a direction")
    return np.asarray(found / lengths, np.float32)
