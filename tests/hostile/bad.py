"""A bad file and how it may end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

PROCESSED = "processed"
UNREAD = ("damaged", "unpacks_too_large")
PASSWORD = "open sesame"
MARK = "/aura-was-here"
"""Part of every address and path that a file tries to reach."""


Make: TypeAlias = Callable[[str], bytes]
"""What makes a file's bytes when the address of the canary is known."""


@dataclass(frozen=True)
class Bad:
    """A file: its name, the codes it may end with, and what makes its bytes.

    Of one that is read, `says` is in its chunks and `hides` is not.
    """

    filename: str
    ends: tuple[str, ...]
    make: Make
    says: str = ""
    hides: str = ""
    password: str | None = None
    about: str = ""

    @property
    def name(self) -> str:
        return self.about or self.filename[:60]


def always(data: bytes) -> Make:
    """Return what makes these bytes, whatever the canary's address."""
    return lambda canary: data
