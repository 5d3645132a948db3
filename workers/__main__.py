"""`python -m workers -Q QUEUE …`: Celery's own `worker` command, with all its options, for our app.

`celery -A workers.app:app worker` is the same, but first imports every other command (Flower's web
server, a shell), which costs each worker a quarter of a second of processor and 12 MB.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from celery.bin.base import CLIContext
from celery.bin.worker import worker

from workers.app import app


def run(arguments: Sequence[str] | None = None) -> None:
    """Be a worker with these arguments, by default the command line's. Ends the process."""
    _be_nice_to_others()
    context = CLIContext(app=app, no_color=True, workdir=None, quiet=True)
    worker.main(arguments, prog_name="python -m workers", obj=context)


def _be_nice_to_others() -> None:
    """Make this process's niceness count beside the other programs of the machine, too.

    Where Linux groups processes by session (`sched_autogroup_enabled`, on by default), niceness only counts within
    a session, and a worker has one of its own: its group has a niceness of its own.
    """
    group, niceness = Path("/proc/self/autogroup"), os.getpriority(os.PRIO_PROCESS, 0)
    if niceness > 0 and os.getsid(0) == os.getpid() and group.exists():
        with contextlib.suppress(OSError):
            group.write_text(str(niceness))


if __name__ == "__main__":
    run()
