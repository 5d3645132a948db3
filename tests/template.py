"""A process that has imported AURA's programs, and forks them for tests (`tests/forked.py`): see `deploy.template`.

A program is named as after `python -m`: `workers`, `celery` or `gunicorn`.
"""

import gc
import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module

import gunicorn.app.wsgiapp
import gunicorn.workers.gthread

import api
import workers
from deploy import template
from pipelines.ingest import tokens
from schemas.settings import get_settings
from workers.app import app

__all__ = ["api"]


def main() -> None:
    """Serve until the tests are over."""
    gc.disable()  # As `deploy.template` does: next to nothing of what is imported is ever garbage.
    for module in pkgutil.walk_packages(workers.__path__, "workers."):
        import_module(module.name)
    # What nearly every stack comes to need: a worker imports it at its first document or question, each for itself.
    for name in ("openai_compatible", "openai_listening", "openai_speech", "elevenlabs"):
        import_module(f"pipelines.providers.{name}")
    tokens.count("The vocabulary is read as well.")
    template.serve(_be)


def _be(words: Sequence[str]) -> None:
    """Be the program, with the settings of its own environment."""
    # All else that Celery is told is the same for everybody.
    app.conf.broker_url = get_settings().redis_url
    if words[0] == "gunicorn":
        sys.argv = [*words]
        gunicorn.app.wsgiapp.run()
    else:
        template.be(words)


if __name__ == "__main__":
    main()
