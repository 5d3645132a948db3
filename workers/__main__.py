"""`python -m workers -Q QUEUE …`: Celery's own `worker` command, with all its options, for our app.

`celery -A workers.app:app worker` is the same, but first imports every other command (Flower's web
server, a shell), which costs each worker a quarter of a second of processor and 12 MB.
"""

from celery.bin.base import CLIContext
from celery.bin.worker import worker

from workers.app import app

if __name__ == "__main__":
    worker.main(prog_name="python -m workers", obj=CLIContext(app=app, no_color=True, workdir=None, quiet=True))
