"""The object store, as stages are given it."""

from typing import Protocol


class Objects(Protocol):
    """Keeps bytes under keys that start with the tenant's id."""

    def put(self, key: str, data: bytes) -> None: ...

    def get(self, key: str) -> bytes:
        """Return the bytes. Raises NotFound."""

    def delete_prefix(self, prefix: str) -> int:
        """Delete all keys under `prefix` and return how many there were."""
