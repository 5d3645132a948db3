"""The whole stack, started as a person starts it, in a data folder of its own."""

from collections.abc import Iterator

import pytest

from deploy.ephemeral import Stack, ephemeral_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Yield a running stack that all these tests share."""
    with ephemeral_stack() as running:
        yield running
