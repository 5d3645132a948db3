"""What the operator should know of the deployment as a whole, as upkeep has found it; told by `/health`."""

from enum import StrEnum
from typing import cast

import redis

from pipelines.stores.events import reaching_redis

LASTS_S = 3600
"""A notice is gone so long after it was last found, as upkeep may be, too."""


class Notice(StrEnum):
    """What there may be to know; the value is the sentence that is told."""

    UNINDEXED = (
        "Large tenants are searched exactly, which is slower: give upkeep AURA_DATABASE_INDEX_URL, so that it can"
        " index their vectors."
    )

    @property
    def key(self) -> str:
        """Return where it is kept."""
        return f"aura:deployment:notice:{self.name.lower()}"


def put(client: "redis.Redis", notice: Notice, *, holds: bool) -> None:
    """Keep a notice, or drop it where it does not hold. Raises StoreUnavailable."""
    with reaching_redis():
        if holds:
            client.set(notice.key, 1, ex=LASTS_S)
        else:
            client.delete(notice.key)


def kept(client: "redis.Redis") -> list[str]:
    """Return the sentences of all that hold. Raises StoreUnavailable."""
    with reaching_redis():
        found = cast(list[bytes | None], client.mget([notice.key for notice in Notice]))
    return [notice.value for notice, there in zip(Notice, found, strict=True) if there is not None]
