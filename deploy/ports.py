"""The ports people type: whether they are free, and who has them."""

import psutil

from deploy.places import LOOPBACK, port_is_free
from schemas.errors.work import CannotStart


def require_web_port(port: int, host: str = LOOPBACK) -> None:
    """Raise CannotStart where `port` is taken, with who has it and how to choose another."""
    if not port_is_free(port, host):
        raise CannotStart(
            f"Port {port} is in use{_by(port)}. Choose another with AURA_PORT, for example "
            f"`AURA_PORT={next_free(port + 1)} make run`, or end that program."
        )


def next_free(port: int) -> int:
    """Return the first free port from `port` on. Raises CannotStart where a hundred in a row are taken."""
    for candidate in range(port, min(port + 100, 65536)):
        if port_is_free(candidate):
            return candidate
    raise CannotStart(f"No port from {port} to {port + 99} is free.")


def _by(port: int) -> str:
    """Return ` by NAME (process PID)` of who listens on `port`; empty where that cannot be seen."""
    try:
        listening = [
            found.pid
            for found in psutil.net_connections("tcp")
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid
        ]
        return f" by {psutil.Process(listening[0]).name()} (process {listening[0]})" if listening else ""
    except psutil.Error:
        return ""
