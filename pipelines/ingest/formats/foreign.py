"""Libraries that were not written for hostile files: whatever they raise over one is the file's fault."""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors.files import Damaged
from schemas.errors.tree import AuraError


@contextmanager
def blamed_on_file(sentence: str | None = None) -> Iterator[None]:
    """Raise Damaged in place of what a library raises; AuraErrors and exhausted limits pass through."""
    try:
        yield
    except (AuraError, MemoryError, RecursionError):
        raise
    except Exception as error:
        raise Damaged(sentence) from error
