"""A stack that answers without a model, and knows what some gadgets cost."""

from collections.abc import Iterator

import pytest

from tests.integration.reindex.stacks import Stack
from tests.integration.whole_stack import running

PRICES = {number: 3 * number for number in range(500, 512)}


@pytest.fixture(scope="module")
def stack(servers: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(servers, tmp_path_factory.mktemp("stack")) as (started, _):
        started.upload(
            [
                (f"gadget-{number}.txt", f"The gadget{number} costs {price} euros, with a lamp.".encode())
                for number, price in PRICES.items()
            ]
        )
        yield started
