"""The Celery app, and what happens around every task: log context, and errors that leave a row behind."""

import logging
import time
from typing import Any

import structlog
from celery import Celery, Task, signals

from schemas.errors import AuraError
from schemas.settings import get_settings
from workers.presence import Presence

log = structlog.get_logger()


class BaseTask(Task):  # type: ignore[misc]
    """Binds the task's ids to every log line, and logs how it ended.

    An error that reaches this point was not foreseen. The row it worked on keeps its lease, which
    runs out; the sweep then tries again, three times at most.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(task=self.name, ids=args)
        started = time.perf_counter()
        try:
            return self.run(*args, **kwargs)
        except AuraError as error:
            log.warning("task gave up", code=error.code, detail=error.detail)
        except Exception:
            log.exception("task broke")
            raise
        finally:
            log.debug("task ended", seconds=round(time.perf_counter() - started, 4))
        return None


app = Celery("aura", task_cls=BaseTask, include=["workers.ingest", "workers.turn", "workers.voice", "workers.upkeep"])
app.config_from_object("celeryconfig")
app.steps["consumer"].add(Presence)


@signals.setup_logging.connect
def configure_logging(**_: Any) -> None:
    """Write one line an event, as JSON, to stderr."""
    level = getattr(logging, get_settings().log_level.upper())
    logging.basicConfig(level=max(level, logging.WARNING), format="%(levelname)s %(name)s %(message)s", force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )


@signals.celeryd_after_setup.connect
def prepare(instance: Any, **_: Any) -> None:
    """Load what this worker's queues need before it takes work: the first caller does not wait for a model."""
    from workers import wiring

    for queue in instance.app.amqp.queues.consume_from:
        wiring.warm(queue)
