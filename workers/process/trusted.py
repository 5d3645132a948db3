"""What is read of tenants and trusted for some seconds: a change is everywhere after them."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")

MAX_TENANTS = 4096


class Trusted(Generic[T]):
    """A value of each tenant, read by `read` where nobody has brought it within the last `for_s` seconds."""

    def __init__(self, read: Callable[[UUID], T], for_s: float) -> None:
        self._read, self._for_s = read, for_s
        self._known: dict[UUID, tuple[float, T]] = {}

    def __call__(self, tenant_id: UUID) -> T:
        """Return the tenant's value. Raises what reading it raises."""
        known = self._known.get(tenant_id)
        if known is not None and time.monotonic() - known[0] < self._for_s:
            return known[1]
        return self.bring(tenant_id, self._read(tenant_id))

    def wants(self, tenant_id: UUID) -> bool:
        """Return whether the value is to be read again; whoever reads the tenant's row anyhow brings it."""
        known = self._known.get(tenant_id)
        return known is None or time.monotonic() - known[0] >= self._for_s

    def bring(self, tenant_id: UUID, value: T) -> T:
        """Take the value as it has just been read, and return it."""
        if len(self._known) >= MAX_TENANTS:
            self._known.clear()
        self._known[tenant_id] = (time.monotonic(), value)
        return value

    def cache_clear(self) -> None:
        """Forget all."""
        self._known.clear()
