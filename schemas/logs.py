"""How log lines are written: one JSON object an event, without local variables or contents."""

import logging

import structlog

from schemas.settings import get_settings


def configure_logs() -> None:
    """Write structlog's events as JSON to stdout, and what libraries warn of to stderr.

    A traceback has its lines only: the values in it may be what somebody asked or said.
    """
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
        cache_logger_on_first_use=True,
    )
