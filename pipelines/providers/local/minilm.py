"""Embeddings by all-MiniLM-L6-v2 (384 wide), int8 weights on onnxruntime."""

from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from pipelines.providers import calibration, weights
from schemas.settings import Settings

WINDOW = 256
"""Word pieces the model reads at once, as it was trained, with the two that mark start and end."""

OVERLAP = 32
"""Word pieces two windows of one text share, so that what stands at a cut is read whole once."""

TOKENS_PER_RUN = 1024
"""Padded word pieces of one run. Larger runs were no faster and cost memory: 16 × 256 took 870 MB, 4 × 256 380."""

Ids: TypeAlias = list[int]


class MiniLM:
    """Embeds texts of any length. One instance may be used by several threads."""

    model = "all-MiniLM-L6-v2"
    width = 384
    batch_size = 16

    def __init__(self, cache_dir: Path, threads: int = 0) -> None:
        """Load the model; `threads` 0 takes every core. Raises NotOffered where its files are missing or changed."""
        # Late, because only the processes that embed can afford these libraries' time and memory.
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Waiting threads sleep instead of spinning: other workers live on the same cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = weights.verify("minilm", cache_dir)
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(weights.verify("minilm-tokenizer", cache_dir)))
        # The file as published cuts and pads at 128 word pieces.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._start, self._end = (cast(int, self._tokenizer.token_to_id(mark)) for mark in ("[CLS]", "[SEP]"))
        self.calibration = calibration.of(self.model)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (len(texts), 384), in the order of `texts`.

        A text longer than a window is read in overlapping windows; its vector is the direction of
        their mean. A text's vector does not depend on the others.
        """
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]
        owned = [
            (owner, [self._start, *ids, self._end]) for owner, found in enumerate(pieces) for ids in windows(found)
        ]
        sums = np.zeros((len(texts), self.width), np.float32)
        for batch in runs(owned):
            np.add.at(sums, [owner for owner, _ in batch], self._read([ids for _, ids in batch]))
        return _unit(sums)

    def _read(self, batch: Sequence[Ids]) -> NDArray[np.float32]:
        """Return the unit vector of each window: the mean over its word pieces, padding left out."""
        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, window in enumerate(batch):
            ids[row, : len(window)] = window
            mask[row, : len(window)] = 1
        (hidden,) = self._session.run(
            ["last_hidden_state"], {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        )
        return _unit((hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True))


def make(settings: Settings) -> MiniLM:
    """Return the embedder of this deployment."""
    return MiniLM(weights.folder(settings))


def windows(ids: Ids) -> Iterator[Ids]:
    """Yield `ids` whole where they fit, else in the fewest windows of equal length that overlap by OVERLAP.

    Equal, because a short last window would weigh its few words as much as all others.
    """
    room = WINDOW - 2
    if len(ids) <= room:
        yield ids
        return
    count = ceil((len(ids) - OVERLAP) / (room - OVERLAP))
    step = (len(ids) - OVERLAP) / count
    for number in range(count):
        yield ids[round(number * step) : round((number + 1) * step) + OVERLAP]


def runs(owned: Sequence[tuple[int, Ids]]) -> Iterator[list[tuple[int, Ids]]]:
    """Yield the windows, shortest first, in runs of at most TOKENS_PER_RUN padded word pieces.

    Sorted, so that a short text is never padded to the length of a long one.
    """
    run: list[tuple[int, Ids]] = []
    for item in sorted(owned, key=lambda item: len(item[1])):
        if run and len(item[1]) * (len(run) + 1) > TOKENS_PER_RUN:
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
