"""Celery's settings, each with its reason. Messages carry ids; Postgres holds the work itself."""

from celery.schedules import crontab
from kombu import Exchange, Queue

from schemas.settings import get_settings

broker_url = get_settings().redis_url
task_ignore_result = True  # State lives in Postgres.
accept_content = ["json"]  # Never unpickle what a queue holds.
task_serializer = "json"

QUEUES = (
    *("express", "extract", "listen", "chunk", "embed", "store"),
    *("transcribe", "retrieve", "generate", "synthesize", "partials"),
    *("notify", "intake", "upkeep"),
)
# The nameless exchange routes by queue name alone. A named one keeps its bindings in Redis, and
# nothing could be sent after a FLUSHALL.
task_queues = [Queue(name, Exchange("", type="direct"), routing_key=name) for name in QUEUES]
task_create_missing_queues = False
task_default_queue = "upkeep"
task_default_exchange = ""
task_default_routing_key = "upkeep"
task_routes = {
    **{f"workers.ingest.{name}": {"queue": name} for name in ("extract", "listen", "chunk", "embed", "store")},
    **{f"workers.turn.{name}": {"queue": name} for name in ("transcribe", "retrieve", "generate", "synthesize")},
    "workers.voice.transcribe": {"queue": "transcribe"},
    "workers.partials.transcribe": {"queue": "partials"},
    "workers.voice.synthesize": {"queue": "synthesize"},
    "workers.voice.voices": {"queue": "synthesize"},
    "workers.fillers.*": {"queue": "synthesize"},
    "workers.searching.search": {"queue": "retrieve"},
    "workers.evaluation.*": {"queue": "embed"},
    "workers.pages.*": {"queue": "express"},
    "workers.tenants.*": {"queue": "upkeep"},
    "workers.mail.*": {"queue": "notify"},
    "workers.webhooks.*": {"queue": "notify"},
    "workers.key_trials.*": {"queue": "notify"},
    "workers.intake.*": {"queue": "intake"},
    "workers.edits.*": {"queue": "express"},
    "workers.recordings.*": {"queue": "upkeep"},
    "workers.memory.*": {"queue": "upkeep"},
    "workers.upkeep.*": {"queue": "upkeep"},
}

task_acks_late = True  # A message outlives the worker that took it,
task_reject_on_worker_lost = True  # also when only a pool child was killed,
task_acks_on_failure = True  # but an error is ours to record, not the broker's to repeat,
task_acks_on_timeout = True  # and so is a time-out.
worker_prefetch_multiplier = 1  # With early acks a short task waits seconds behind a long one.
task_soft_time_limit = 240  # Prefork only. 48 scanned pages take a minute, on a busy machine several.
task_time_limit = 270
broker_transport_options = {
    "visibility_timeout": 600,  # Above twice the hard limit. Recovery is our lease and sweep, not redelivery.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
    "health_check_interval": 30,
}
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # A broker that is away comes back; the supervisor ends us otherwise.
task_publish_retry_policy = {"max_retries": 2, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.3}
worker_soft_shutdown_timeout = 8
worker_cancel_long_running_tasks_on_connection_loss = True
worker_max_tasks_per_child = 200  # Prefork children give back what native parsers leak.
worker_max_memory_per_child = 900_000  # KiB.
# Bulk pools send them for Flower (`-E` in the Procfile). A spoken turn passes seven tasks; its own waterfall says more.
worker_send_task_events = False
task_send_sent_event = False  # 1.6 times the CPU of a no-op task, for little.
worker_hijack_root_logger = False
worker_redirect_stdouts = False

beat_schedule = {
    "sweep": {"task": "workers.upkeep.sweep", "schedule": 2.0, "options": {"expires": 4}},
    "flush_calls": {"task": "workers.upkeep.flush_calls", "schedule": 5.0, "options": {"expires": 5}},
    "webhooks": {"task": "workers.webhooks.deliver", "schedule": 2.0, "options": {"expires": 4}},
    # With the five minutes that sound is in Redis it makes ten until none is left, on disk either.
    "rewrite_log": {"task": "workers.upkeep.rewrite_log", "schedule": 240.0, "options": {"expires": 60}},
    "keep_recordings": {"task": "workers.recordings.keep", "schedule": 5.0, "options": {"expires": 5}},
    "settle_providers": {"task": "workers.upkeep.settle_providers", "schedule": 60.0, "options": {"expires": 60}},
    "index_vectors": {"task": "workers.upkeep.index_vectors", "schedule": 60.0, "options": {"expires": 60}},
    # By the clock: an interval would begin anew with every start.
    "forget": {"task": "workers.upkeep.forget", "schedule": crontab(minute="17"), "options": {"expires": 600}},
    "forget_recordings": {
        "task": "workers.recordings.forget",
        "schedule": crontab(minute="7"),
        "options": {"expires": 600},
    },
    "forget_webhooks": {
        "task": "workers.webhooks.forget",
        "schedule": crontab(minute="37"),
        "options": {"expires": 600},
    },
}
beat_scheduler = "celery.beat:Scheduler"  # Nothing to remember between starts, so no schedule file.
