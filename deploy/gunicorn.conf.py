# ruff: noqa: N999 (Gunicorn gives the name.)
"""Gunicorn: one process of many threads, as every open socket and event stream holds one."""

import gc
from pathlib import Path

from schemas.settings import get_settings

# Next to nothing of what is imported is ever garbage; to look for it would take a sixth of the time of a start.
gc.disable()

_settings = get_settings()

bind = f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = 1  # One subscriber connection and one table of open sockets serve all of them.
threads = _settings.web_threads
timeout = 60
graceful_timeout = 3  # An open stream never ends by itself; its client comes back with its last id.
keepalive = 75
backlog = 1024
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # The heartbeat file must never wait for a disk.
control_socket_disable = True  # Nobody steers this process but the supervisor, by signals.


def post_worker_init(worker: object) -> None:
    """Refuse to serve with a database role that could see other tenants' rows; say goodbye to sockets at the end."""
    from api.live.process import seats  # Gunicorn reads this file before the process that serves exists.
    from api.live.seats import clear_at_sigterm
    from pipelines.stores.database import get_engine

    get_engine()
    clear_at_sigterm(seats())
    # All that was imported stays: to look through it for garbage would hold up every socket for 0.16 s.
    gc.collect()
    gc.freeze()
    gc.enable()
