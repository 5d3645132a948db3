"""Stacks to break: real servers and workers, and at their edge only what tests must command."""

import sys
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from deploy.ephemeral import Stack, ephemeral_stack
from tests.faults import disk as disks
from tests.faults import provider as providers
from tests.faults import receiver as receivers
from tests.faults.disk import Disk
from tests.faults.provider import Provider
from tests.faults.receiver import Receiver

LEASE_S = 4
PATIENCE_S = 2
"""Shorter than in service, so that the tests wait less: nothing else about them is special."""


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """Yield the embedding server that all stacks share."""
    with providers.provider() as found:
        yield found


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with receivers.receiver() as found:
        yield found


@pytest.fixture(scope="session")
def disk() -> Iterator[Disk]:
    """Yield the disk on which the shared stack keeps its objects."""
    with disks.disk() as found:
        yield found


@pytest.fixture(scope="session")
def whole_stack(provider: Provider, receiver: Receiver, disk: Disk) -> Iterator[Stack]:
    settings = {
        "AURA_OBJECTS_URL": f"file://{disk.objects}",
        **provider.settings(),
        "AURA_STAGE_LEASE_S": str(LEASE_S),
        "AURA_PROVIDER_TIMEOUT_S": str(PATIENCE_S),
        "AURA_OUTBOUND_ALLOW": receiver.place,
    }
    with ephemeral_stack(settings) as stack:
        yield stack


@pytest.fixture
def stack(whole_stack: Stack, provider: Provider) -> Iterator[Stack]:
    """Yield a stack whose provider is well; all tests of this folder share it."""
    provider.be("well")
    yield whole_stack
    provider.be("well")


@pytest.fixture
def run() -> str:
    """Return what makes this test's texts different from all others."""
    return uuid4().hex[:8]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return what shows a measured figure, also where the test passes."""

    def show(figure: str) -> None:
        with capsys.disabled():
            sys.stderr.write(f"\n  {figure}\n")

    return show
