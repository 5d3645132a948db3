"""Where the browser of the tests comes from: the machine, its distribution where we are root, else Playwright.

`python -m tests.browser.chromium` has one there before the tests, so that two processes never install at once.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import playwright

from deploy.node import node

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""First the one without windows, which draws, runs and asks as the others do for half of a processor's time."""

PACKAGES = ("chromium-headless-shell", "chromium")
FONT = "fonts-liberation"
WHAT_TO_DO = (
    "The browser tests need a Chromium, and none could be installed. Install one (on Debian `apt install chromium"
    " fonts-liberation`, elsewhere `.venv/bin/python -m playwright install --with-deps chromium`), or mend what is said"
    " above about the network, and run this again."
)


class NoChromium(Exception):
    """There is no Chromium, and none can be had. These tests are never left out in silence."""


def executable() -> str | None:
    """Return the path of a Chromium, installed now where there was none; None is the one Playwright brought.

    Raises NoChromium.
    """
    if found := _found():
        return found
    is_root = os.geteuid() == 0
    if is_root and shutil.which("apt-get") and (found := _from_the_distribution()):
        return found
    # What it links to comes with it where we may install that.
    install = [sys.executable, "-m", "playwright", "install", *(["--with-deps"] if is_root else []), "chromium"]
    if subprocess.run(install, check=False, env={**os.environ, **node_to_run_with()}).returncode:
        raise NoChromium(WHAT_TO_DO)
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


def _from_the_distribution() -> str | None:
    _apt("update")
    for package in PACKAGES:
        if _apt("install", "-y", "--no-install-recommends", package, FONT) and (found := _found()):
            return found
    return None


def _apt(*arguments: str) -> bool:
    """Return whether it did it. What it unpacks is hundreds of lines; what went wrong is on the other stream."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", *arguments]
    return subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False).returncode == 0


def _found() -> str | None:
    return next(filter(_starts, filter(None, map(shutil.which, NAMES))), None)


def _starts(path: str) -> bool:
    """Return whether it runs here: Ubuntu's `chromium-browser` only says which snap to install."""
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    try:
        executable()
    except NoChromium as missing:
        sys.exit(str(missing))
