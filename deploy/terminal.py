"""What the launcher shows: sentences, a line that says what is waited for, and warnings from the logs."""

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status

WARNS = re.compile(r'"level": ?"(?:warning|error|critical)"|\b(?:WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b')
EXPECTED = re.compile(
    "the database system is (?:starting up|shutting down)|Memory overcommit must be enabled|@%WARNING"
)
"""What sounds like a warning and is none here: we ask while Postgres starts, and Valkey writes no snapshots."""

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")
CHANGES = re.compile(r'"(?:timestamp|trace_id|span_id)": ?"[^"]*"|[0-9]+')
"""What differs between two warnings of the same thing."""

SAID_AGAIN_S = 60.0
"""A warning is shown again when the last of its kind is older; every one is in its log."""

WORKER = "worker:"
"""How a part that is a worker is named, before its queue."""

MOST_LINES = 12
"""Lines of one log shown at a time; the rest is in the file."""


class Terminal:
    """The launcher's terminal. With `verbose` it shows every line the programs write, else their warnings."""

    def __init__(self, verbose: bool = False) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self._verbose = verbose
        self._read: dict[Path, int] = {}
        self._status: Status | None = None
        self._waiting_for = ""
        self._standing = ""
        self._shown: dict[str, float] = {}

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self.console.print(escape(sentence))

    def waiting(self, what: str, which: str = "") -> None:
        """Say what is waited for; empty when it is over. On a terminal in place, and `which` of it as well."""
        if not self.console.is_terminal:
            if what and what != self._waiting_for:
                self.say(f"  waiting for {what}")
            self._waiting_for = what
            return
        shown = f"waiting for {escape(what)}{escape(': ' + which) if which else ''}"
        if not what:
            if self._status is not None:
                self._status.stop()
                self._status = None
        elif self._status is None:
            self._status = self.console.status(shown)
            self._status.start()
        else:
            self._status.update(shown)

    def standing(self, sentence: str) -> None:
        """Print a sentence that holds for a while once, when it begins to hold; empty when it no longer does."""
        if sentence and sentence != self._standing:
            self.say(sentence)
        self._standing = sentence

    def skip(self, logs: Path) -> None:
        """Take what the logs hold now as seen."""
        self._read = {path: path.stat().st_size for path in logs.glob("*.log")}

    def echo(self, logs: Path) -> None:
        """Show what was written to the logs since the last look: all of it, or only what warns and is news."""
        for number, path in enumerate(sorted(logs.glob("*.log"))):
            lines = self._fresh(path)
            shown = lines if self._verbose else [line for line in lines if self._is_news(line)]
            for line in shown if self._verbose else shown[:MOST_LINES]:
                colour = COLOURS[number % len(COLOURS)]
                self.console.print(f"[{colour}]{path.stem:>10} │[/] {escape(_readable(line))}")
            if not self._verbose and len(shown) > MOST_LINES:
                self.say(f"{path.stem:>10} │ … {len(shown) - MOST_LINES} more such lines in {path}")

    def _is_news(self, line: str) -> bool:
        """Return whether a line warns of what none has warned of lately: what ails one worker ails all."""
        if not WARNS.search(line) or EXPECTED.search(line):
            return False
        now, gist = time.monotonic(), CHANGES.sub("", line)
        self._shown = {old: at for old, at in self._shown.items() if now - at < SAID_AGAIN_S}
        if gist in self._shown:
            return False
        self._shown[gist] = now
        return True

    def _fresh(self, path: Path) -> list[str]:
        """Return the whole lines written since the last look."""
        size, seen = path.stat().st_size, self._read.get(path, 0)
        seen = seen if seen <= size else 0  # It was rotated.
        if seen == size:
            return []
        with path.open("rb") as log:
            log.seek(seen)
            new = log.read(size - seen)
        whole = new[: new.rfind(b"\n") + 1]
        self._read[path] = seen + len(whole)
        return whole.decode(errors="replace").splitlines()


def awaited(parts: Sequence[str]) -> tuple[str, str]:
    """Return what a stack that still lacks `parts` waits for, and which: the workers, once all else is there."""
    names = [part.partition(": ")[0] for part in parts]
    before = [name for name in names if not name.startswith(WORKER)]
    workers = [name.removeprefix(WORKER) for name in names if name.startswith(WORKER)]
    return (", ".join(before), "") if before else ("the workers", ", ".join(workers))


def _readable(line: str) -> str:
    """Return a structured log line as `event key=value …`; any other as it is."""
    try:
        fields = json.loads(line)
        event = fields.pop("event")
    except (ValueError, TypeError, KeyError, AttributeError):
        return line
    shown = " ".join(f"{key}={value}" for key, value in fields.items() if key not in ("timestamp", "exception"))
    return f"{event} {shown}" + (f"\n{fields['exception']}" if "exception" in fields else "")
