"""Where the browser of the tests comes from: the machine, its distribution where we are root, else Playwright."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""First the one without windows, which draws, runs and asks as the others do for half of a processor's time."""

PACKAGES = ("chromium-headless-shell", "chromium")
FONT = "fonts-liberation"
WHAT_TO_DO = (
    "The browser tests need a Chromium, and none could be installed. Install one (on Debian: `apt install chromium"
    " fonts-liberation`; elsewhere `.venv/bin/python -m playwright install --with-deps chromium` as root), or mend what"
    " is said above about the network, and run this again."
)


class NoChromium(Exception):
    """There is no Chromium, and none can be had. These tests are never left out in silence."""


def executable() -> str | None:
    """Return the path of a Chromium, installed now where there was none; None is the one Playwright brought.

    Raises NoChromium.
    """
    if found := _found():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get") and (found := _from_the_distribution()):
        return found
    # What it links to comes with it where we may install that.
    with_libraries = ["--with-deps"] if os.geteuid() == 0 else []
    if not _ran(sys.executable, "-m", "playwright", "install", *with_libraries, "chromium"):
        raise NoChromium(WHAT_TO_DO)
    return None


def arguments() -> list[str]:
    """Return what Chromium is started with. A container has no room for its sandbox under root."""
    return ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []


def _from_the_distribution() -> str | None:
    _ran("apt-get", "update", "-qq")
    for package in PACKAGES:
        if _ran("apt-get", "install", "-y", "-qq", "--no-install-recommends", package, FONT) and (found := _found()):
            return found
    return None


def _ran(*command: str) -> bool:
    return subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False).returncode == 0


def _found() -> str | None:
    return next(filter(_starts, filter(None, map(shutil.which, NAMES))), None)


def _starts(path: str) -> bool:
    """Return whether it is a browser: Ubuntu's `chromium-browser` only says which snap to install."""
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    # Before the tests, so that two of them never install at once.
    try:
        executable()
    except NoChromium as missing:
        sys.exit(str(missing))
