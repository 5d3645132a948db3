"""The whole stack, started as a person starts it, in a data folder of its own."""

from collections.abc import Iterator

import pytest

from deploy.ephemeral import Stack, ephemeral_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Yield a running stack that all acceptance tests share."""
    # What a killed worker held is begun again after less than half of the usual time.
    with ephemeral_stack({"AURA_STAGE_LEASE_S": "8"}) as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put last what ends the stack and starts it again."""
    items.sort(key=lambda item: item.path.name == "test_stack_start.py")
