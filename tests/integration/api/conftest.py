"""The web application in this process, over real servers; workers are not needed at the door."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from api import create_app


@pytest.fixture(scope="session")
def client(servers: object) -> Iterator[FlaskClient]:
    with create_app().test_client() as opened:
        yield opened
