"""A stack that answers without a model."""

from collections.abc import Iterator

import pytest

from tests.integration.reindex.stacks import Stack
from tests.integration.whole_stack import running


@pytest.fixture(scope="module")
def stack(servers: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(servers, tmp_path_factory.mktemp("stack")) as (started, _):
        yield started
