"""Runs two suites side by side, as `make test` does: `python -m tests.abreast`.

Browsers and stacks wait for each other, for clocks and for sockets most of the time; one suite works while the other
waits. What the second one says is shown once the first has ended.
"""

import subprocess
import sys
import tempfile

SHOWN = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "tests/integration", "tests/unit")
BESIDE = ("tests/browser",)


def main() -> int:
    """Run both to their ends and return the exit code of the first that failed, or 0."""
    with tempfile.TemporaryFile() as said:
        command = [sys.executable, "-m", "pytest"]
        with subprocess.Popen([*command, *BESIDE], stdout=said, stderr=subprocess.STDOUT) as beside:
            try:
                shown = subprocess.run([*command, *SHOWN], check=False).returncode
                code = shown or beside.wait()
            except KeyboardInterrupt:
                # Ctrl-C reached both; this one ends what it started before it goes.
                code = 130
            beside.wait()
        said.seek(0)
        sys.stdout.buffer.write(b"\n" + said.read())
    return code


if __name__ == "__main__":
    sys.exit(main())
