"""Where the local stack keeps things, and the secrets it made up for itself."""

import hashlib
import json
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from schemas.errors.work import CannotStart

REPO = Path(__file__).resolve().parents[1]
LOOPBACK = "127.0.0.1"
FULL_BYTES = 50 * 2**20
"""A disk with less than this free is called full: a segment of Postgres' log alone takes 16 MiB."""


@dataclass(frozen=True)
class Places:
    """The paths of one stack. `data_dir` is absolute and identifies the stack."""

    data_dir: Path

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def models(self) -> Path:
        return self.data_dir / "models"

    @property
    def valkey(self) -> Path:
        return self.data_dir / "valkey"

    @property
    def runtime_env(self) -> Path:
        """Return the file by which commands in other terminals find the running stack."""
        return self.data_dir / "runtime.env"

    @property
    def state(self) -> Path:
        """Return the file that names the launcher and its address while the stack runs."""
        return self.data_dir / "stack.json"

    @property
    def lock(self) -> Path:
        return self.data_dir / "stack.lock"

    @property
    def mark(self) -> str:
        """Return what every process of this stack carries in its environment as `AURA_STACK`."""
        return hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:16]


def places(data_dir: Path) -> Places:
    """Return the paths under `data_dir`, whose folder now exists. Raises CannotStart."""
    absolute = data_dir.resolve()
    try:
        absolute.mkdir(parents=True, exist_ok=True)
        for folder in (Places(absolute).logs, Places(absolute).models, Places(absolute).valkey):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"The data folder {absolute} cannot be written ({error.strerror}). "
            "Set AURA_DATA_DIR to a folder of yours, or give this one to the user who starts AURA."
        ) from error
    return Places(absolute)


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step with `text`, readable by its owner alone."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with open(fresh, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    fresh.replace(path)


def secret(where: Places, name: str) -> tuple[str, bool]:
    """Return the secret `name` of this stack and whether it was made up just now."""
    path = where.data_dir / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    fresh = name not in known
    if fresh:
        known[name] = secrets.token_urlsafe(24)
        write_private(path, json.dumps(known, indent=2))
    return known[name], fresh


def port_is_free(port: int, host: str = LOOPBACK) -> bool:
    """Return whether a server could listen on `port` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on, and that for a minute nobody is given by chance.

    A connection of its own that has just ended keeps it (TIME_WAIT) from all who ask the system for any port, not
    from a server that names it.
    """
    with socket.create_server((LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)):
            # Who closes first is who waits.
            probe.accept()[0].close()
    return port


def require_space(folder: Path, megabytes: int, purpose: str) -> None:
    """Raise CannotStart where the disk of `folder` has less than `megabytes` free."""
    free = shutil.disk_usage(folder).free // 2**20
    if free < megabytes:
        raise CannotStart(
            f"The disk of {folder} is full: {free} MiB are free and {purpose} needs {megabytes} MiB. "
            "Free some space, or set AURA_DATA_DIR to a folder on another disk."
        )


def full_disk(folder: Path) -> str:
    """Return a sentence where the disk of `folder` is as good as full, else nothing."""
    if shutil.disk_usage(folder).free >= FULL_BYTES:
        return ""
    return f"The disk of {folder} is full. Free some space: what waits for it then goes on by itself."
