"""The peers on the same work, in the same run, each in processes of its own: their scripts are run, not copied."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_S = 420.0


@dataclass(frozen=True)
class Peers:
    """Where the peers' scripts are, and the Python that has what they import."""

    folder: Path
    python: str
    speech: Path

    def run(self, peer: str, variant: str, sessions: int, processes: int, seconds: float) -> dict[str, Any] | None:
        """Return a peer's figures; None, with a line that says why, where it could not be run."""
        command = [self.python, "measure.py", "--peer", peer, "--variant", variant, "--sessions", str(sessions)]
        command += ["--procs", str(processes), "--seconds", str(seconds), "--speech", str(self.speech.resolve())]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        if done.returncode or not done.stdout.strip():
            print(f"{peer} {variant} was not measured: {done.stderr.strip().splitlines()[-1:]}", flush=True)
            return None
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
