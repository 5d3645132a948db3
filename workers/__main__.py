"""`python -m workers -Q QUEUE …`: Celery's own `worker` command, with all its options, for our app.

`celery -A workers.app:app worker` is the same, but first imports every other command (Flower's web
server, a shell), which costs each worker a quarter of a second of processor and 12 MB.
"""

from collections.abc import Sequence

from celery.bin.base import CLIContext
from celery.bin.worker import worker

from pipelines import niceness
from workers.app import app


def run(arguments: Sequence[str] | None = None) -> None:
    """Be a worker with these arguments, by default the command line's. Ends the process."""
    niceness.spread()
    context = CLIContext(app=app, no_color=True, workdir=None, quiet=True)
    worker.main(arguments, prog_name="python -m workers", obj=context)


if __name__ == "__main__":
    run()
