"""The Celery app, and what happens around every task: log context, and errors that leave a row behind."""

import gc
import time
from typing import Any

import structlog
from celery import Celery, Task, signals
from kombu.transport import TRANSPORT_ALIASES

from schemas.errors.tree import AuraError
from schemas.logs import configure_logs
from workers.process.presence import Presence

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


TRANSPORT_ALIASES["redis"] = "workers.broker:Transport"

app = Celery(
    "aura",
    task_cls=BaseTask,
    include=[
        "workers.ingest",
        "workers.turn",
        "workers.voice",
        "workers.key_trials",
        "workers.fillers",
        "workers.partials",
        "workers.searching",
        "workers.pages",
        "workers.tenants",
        "workers.mail",
        "workers.webhooks",
        "workers.intake",
        "workers.edits",
        "workers.memory",
        "workers.recordings",
        "workers.evaluation",
        "workers.upkeep",
        "workers.dialogue.watching",
    ],
)
app.config_from_object("celeryconfig")
app.steps["consumer"].add(Presence)


@signals.setup_logging.connect
def log_as_json(**_: Any) -> None:
    """Replace Celery's own logging by ours."""
    configure_logs()


@signals.celeryd_after_setup.connect
def prepare(instance: Any, **_: Any) -> None:
    """Load what this worker's queues need before it takes work: the first caller does not wait for a model."""
    from workers import wiring

    for queue in instance.app.amqp.queues.consume_from:
        wiring.warm(queue)
    # All that is loaded stays: to look through it for garbage would hold up every task for 0.16 s.
    gc.collect()
    gc.freeze()
