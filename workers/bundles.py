"""Which parts travel in one message: small documents together, so that a hundred cost little more than one."""

from collections.abc import Iterable
from itertools import groupby

from pipelines.stores.ingest.parts import Part
from schemas.tables.knowledge import Stage

MAX_PARTS = 100
"""Documents of one bundle: a second of work or so, after which others have their turn."""


def bundles(parts: Iterable[Part], texts_a_request: int) -> list[list[Part]]:
    """Return the parts in messages, each of one tenant, stage and queue.

    Only small documents share one, `MAX_PARTS` at most; of parts to embed also as many as have
    `texts_a_request` texts together, so that a message is one request.
    """
    found: list[list[Part]] = []
    for (_, stage, _), group in groupby(sorted(parts, key=_kind), key=_kind):
        most_texts = texts_a_request if stage == Stage.EMBED else MAX_PARTS
        found += _packed(group, most_texts)
    return found


def _packed(parts: Iterable[Part], most_texts: int) -> list[list[Part]]:
    full: list[list[Part]] = []
    filling: list[Part] = []
    texts = 0
    for part in parts:
        if not part.small or part.alone:
            full.append([part])
            continue
        if filling and (texts + part.texts > most_texts or len(filling) == MAX_PARTS):
            full.append(filling)
            filling, texts = [], 0
        filling.append(part)
        texts += part.texts
    return [*full, filling] if filling else full


def _kind(part: Part) -> tuple[str, str, str]:
    return str(part.ref.tenant_id), part.ref.stage.value, part.queue
