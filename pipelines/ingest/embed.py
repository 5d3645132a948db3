"""Embed texts in batches, and write vectors into an artefact."""

import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.ingest.tokens import count
from pipelines.ports.models import Embedder
from schemas.errors.providers import ProviderUnavailable
from schemas.errors.requests import InputTooLong

REMOTE_BATCH = 100
"""Chunks of one part where a provider is called: one request each."""

LOCAL_BATCH = 16
"""Chunks of one part where the model runs here: two seconds or so, so that a crash costs little."""

MAX_TOKENS = 200_000
"""Tokens of one request: two thirds of what OpenAI takes, because other models count otherwise."""

LEAST_CHARS = 64
"""A text of fewer is not halved any more: a provider that finds it too long will never be content."""


def embed(texts: Sequence[str], embedder: Embedder) -> NDArray[np.float32]:
    """Return unit vectors, shape (len(texts), embedder.width), in the order of `texts`.

    A call carries at most `embedder.batch_size` texts and MAX_TOKENS. Where that is too long for the model, the
    halves are sent, down to halves of one text: its vector is then the mean direction of theirs, weighted by
    their lengths. Raises ProviderUnavailable, also where a reply is not a vector for each text, RateLimited,
    NotOffered, InputTooLong.
    """
    found = [_vectors(batch, embedder) for batch in batches(texts, embedder.batch_size)]
    return _joined(found) if found else np.empty((0, embedder.width), np.float32)


def batches(texts: Sequence[str], size: int, max_tokens: int = MAX_TOKENS) -> Iterator[Sequence[str]]:
    """Yield the texts in order, at most `size` at a time, and `max_tokens` unless one alone has more."""
    for start in range(0, len(texts), size):
        batch = texts[start : start + size]
        # No token has less than a byte: what has few bytes need not be counted.
        if sum(len(text.encode(errors="replace")) for text in batch) <= max_tokens:
            yield batch
            continue
        begin, total = 0, 0
        for at, tokens in enumerate(map(count, batch)):
            if total + tokens > max_tokens and at > begin:
                yield batch[begin:at]
                begin, total = at, 0
            total += tokens
        yield batch[begin:]


def _vectors(texts: Sequence[str], embedder: Embedder) -> NDArray[np.float32]:
    try:
        return _checked(embedder.embed(texts), len(texts))
    except InputTooLong:
        if len(texts) > 1:
            middle = len(texts) // 2
            return _joined([_vectors(texts[:middle], embedder), _vectors(texts[middle:], embedder)])
    total = _halves(texts[0], embedder)
    length = float(np.linalg.norm(total))
    if not length:
        raise ProviderUnavailable("The embedder answered opposite vectors.")
    return np.asarray(total / length, np.float32)


def _halves(text: str, embedder: Embedder) -> NDArray[np.float32]:
    """Return the sum of the vectors of a text's halves, or theirs, each as long as its text, shape (1, width)."""
    if len(text) < LEAST_CHARS:
        raise InputTooLong
    found = []
    for half in halved(text):
        try:
            found.append(_checked(embedder.embed([half]), 1) * len(half))
        except InputTooLong:
            found.append(_halves(half, embedder))
    return np.asarray(_joined(found).sum(axis=0, keepdims=True), np.float32)


def halved(text: str) -> tuple[str, str]:
    """Return a text in two parts, cut at the space nearest to its middle; in the middle where there is none near."""
    middle, near = len(text) // 2, len(text) // 4
    before, after = text.rfind(" ", middle - near, middle), text.find(" ", middle, middle + near)
    cut = min((at for at in (before, after) if at >= 0), key=lambda at: abs(at - middle), default=middle)
    return text[:cut], text[cut:].lstrip(" ") or " "


def _joined(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the vectors of all parts. Raises ProviderUnavailable where they are not of one width."""
    if len({part.shape[1] for part in parts}) > 1:
        raise ProviderUnavailable("The embedder answered vectors of several widths.")
    return np.concatenate(parts)


def _checked(vectors: NDArray[np.float32], texts: int) -> NDArray[np.float32]:
    """Return the vectors if there is one for each text. Raises ProviderUnavailable: what is half is not stored."""
    if vectors.ndim != 2 or vectors.shape[0] != texts:
        raise ProviderUnavailable("The embedder did not answer a vector for each text.")
    if not np.isfinite(vectors).all():
        raise ProviderUnavailable("The embedder answered vectors that are no numbers.")
    return vectors


def pack(vectors: NDArray[np.float32] | NDArray[np.float16]) -> bytes:
    """Return vectors as .npy in half precision, as they are stored."""
    buffer = io.BytesIO()
    np.save(buffer, vectors.astype(np.float16), allow_pickle=False)
    return buffer.getvalue()


def join(parts: Iterable[bytes]) -> NDArray[np.float32]:
    """Return the vectors of all parts, given in order, shape (chunks, width)."""
    return np.concatenate([np.load(io.BytesIO(part), allow_pickle=False) for part in parts]).astype(np.float32)
