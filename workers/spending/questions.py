"""An embedder of questions that remembers them: one that was asked before is not embedded again."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pipelines.ports.models import Calibration, Embedder
from pipelines.stores.knowledge import remembered
from pipelines.stores.redis import get_redis


class Remembering:
    """An `Embedder` for single questions of one tenant, for as long as one of them is answered."""

    def __init__(self, tenant_id: UUID, embedder: Embedder) -> None:
        self._tenant_id, self._embedder = tenant_id, embedder
        self._known: dict[str, NDArray[np.float32] | None] = {}

    @property
    def model(self) -> str:
        return self._embedder.model

    @property
    def width(self) -> int:
        return self._embedder.width

    @property
    def batch_size(self) -> int:
        return self._embedder.batch_size

    @property
    def calibration(self) -> Calibration:
        return self._embedder.calibration

    def remembers(self, question: str) -> bool:
        """Return whether the question's vector is known without embedding it."""
        if question not in self._known:
            self._known[question] = remembered.vector(get_redis(), self._tenant_id, self.model, question)
        return self._known[question] is not None

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, as the embedder does; those of single texts are remembered."""
        if len(texts) != 1:
            return self._embedder.embed(texts)
        (question,) = texts
        if self.remembers(question) and (known := self._known[question]) is not None:
            return known[np.newaxis]
        found = self._embedder.embed(texts)
        remembered.keep_vector(get_redis(), self._tenant_id, self.model, question, found[0])
        return found
