"""Where the browser of the tests comes from: the machine, its distribution where we are root, else Playwright."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import playwright

from deploy.node import node

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def executable() -> str | None:
    """Return the path of a Chromium, installed now where there was none; None is the one Playwright brought.

    Raises CalledProcessError where none can be had: these tests are never left out in silence.
    """
    if found := _found():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"]
        # What it unpacks is hundreds of lines; what went wrong is on the other stream.
        if subprocess.run(install, check=False, env=quiet, stdout=subprocess.DEVNULL).returncode == 0 and (
            found := _found()
        ):
            return found
    # What it links to comes with it where we may install that.
    with_libraries = ["--with-deps"] if os.geteuid() == 0 else []
    subprocess.run([sys.executable, "-m", "playwright", "install", *with_libraries, "chromium"], check=True)
    return None


def node_to_run_with() -> dict[str, str]:
    """Return what tells Playwright which Node to run by: nothing where its own starts, else the one of the build.

    Its own wants a library, libatomic, that a bare Debian does not have.
    """
    own = Path(playwright.__file__).parent / "driver" / "node"
    other = None if own.is_file() and _starts(str(own)) else node()
    return {"PLAYWRIGHT_NODEJS_PATH": other} if other else {}


def arguments() -> list[str]:
    """Return what Chromium is started with. A container has no room for its sandbox under root."""
    return ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []


def _found() -> str | None:
    return next(filter(_starts, filter(None, map(shutil.which, NAMES))), None)


def _starts(path: str) -> bool:
    """Return whether it runs here: Ubuntu's `chromium-browser` only says which snap to install."""
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0
