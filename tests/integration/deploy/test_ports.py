"""A port that is taken is said in a sentence that names who has it and what to do."""

import os
import socket

import pytest

from deploy.ports import next_free, require_web_port
from deploy.services import port_for
from schemas.errors.work import CannotStart


def test_a_used_port_is_named_with_its_owner_and_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart) as refused:
            require_web_port(port)

    said = refused.value.detail
    assert said.startswith(f"Port {port} is in use")
    assert f"(process {os.getpid()})" in said
    assert "AURA_PORT=" in said


def test_flower_takes_the_next_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert next_free(port) > port


def test_a_configured_server_port_that_is_taken_is_refused_and_zero_takes_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match="AURA_REDIS_PORT"):
            port_for("redis", port)

        assert port_for("redis", 0) not in (0, port)
