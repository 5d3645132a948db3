"""How log lines are written: one JSON object an event, without local variables, contents or secrets."""

import logging
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import SecretStr

from schemas.settings import Settings, get_settings

MASK = "[secret]"
OURS = frozenset({"level", "timestamp", "task", "ids", "tenant_id", "user_id", "trace_id"})
"""Fields that only we write: nobody can blot them out by calling a secret what they say."""

MIN_SECRET_CHARS = 8
"""A shorter text may be part of any word, and is no secret worth the name."""

MAX_SECRETS = 4096
_secrets: dict[str, None] = {}
_lock = threading.Lock()


def hide(secret: str) -> None:
    """Let no line of this process's log show `secret` from now on; the MAX_SECRETS last used are known."""
    if len(secret) < MIN_SECRET_CHARS:
        return
    with _lock:
        _secrets.pop(secret, None)
        _secrets[secret] = None
        if len(_secrets) > MAX_SECRETS:
            del _secrets[next(iter(_secrets))]


def masked(text: str) -> str:
    """Return `text` with every hidden secret in it covered; the longest first, as one may begin another."""
    with _lock:
        found = [secret for secret in _secrets if secret in text]
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def mask_secrets(_logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Cover hidden secrets in all that others had a say in (a processor of structlog)."""
    return {name: value if name in OURS else _covered(value) for name, value in event.items()}


def configure_logs() -> None:
    """Write structlog's events as JSON to stdout, and what libraries warn of to stderr.

    A traceback has its lines only: the values in it may be what somebody asked or said.
    """
    settings = get_settings()
    _hide_all(settings)
    level = getattr(logging, settings.log_level.upper())
    logging.basicConfig(level=max(level, logging.WARNING), force=True)
    for writer in logging.getLogger().handlers:
        writer.setFormatter(_Masking("%(levelname)s %(name)s %(message)s"))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            mask_secrets,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


class _Masking(logging.Formatter):
    """Writes what a library says, tracebacks too, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def _covered(value: Any) -> Any:
    """Return a value of a log line without secrets, in the form that JSON gives it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): _covered(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_covered(each) for each in value]
    return masked(str(value))


def _hide_all(settings: Settings) -> None:
    """Hide the deployment's own secrets."""
    for name in Settings.model_fields:
        value = getattr(settings, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, SecretStr):
                hide(each.get_secret_value())
            elif name.endswith("_url"):
                hide(unquote(urlsplit(each).password or ""))
