"""Whether this process lives, and whether the whole stack can take work."""

import math
import threading
import time
from typing import Any, Literal

import redis
from flask import jsonify
from flask_openapi3 import OpenAPI, Tag
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.door.permissions import allows
from pipelines import providers
from pipelines.stores.database import PrivilegedRole, get_engine
from pipelines.stores.operations import notices
from pipelines.stores.redis import get_redis
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import NotOffered
from schemas.requests.health import ApiHealth, Health, Readiness, ServiceHealth
from schemas.settings import Settings, get_settings
from schemas.tables.identity import Permission
from workers.process.presence import live_queues
from workers.send import QUEUES

NOTICES_EVERY_S = 30.0


def register(app: OpenAPI) -> None:
    """Add /health and /health/ready; neither asks who is asking."""
    tags = [Tag(name="health")]
    app.get("/health", tags=tags, responses={200: Health})(health)
    app.get("/health/ready", tags=tags, responses={200: Readiness, 503: Readiness})(ready)


@allows(Permission.PUBLIC)
def health() -> dict[str, Any]:
    """Answer that the process lives, with what is chosen; waits for nothing that could hang."""
    settings = get_settings()
    offers = providers.offers(settings)
    chosen = {offer.kind: offer.offered for offer in offers if offer.chosen}
    return Health(
        mode="single-tenant" if settings.single_tenant else "multi-tenant",
        services=ServiceHealth(
            smart_router=chosen.get("chat", False),
            voice=_is_offered("transcriber", settings) and _is_offered("speaker", settings),
            data_service=chosen.get("embedder", False),
        ),
        apis={offer.name: ApiHealth(offered=offer.offered) for offer in offers if offer.kind == "chat"},
        notices=_notices.known(),
    ).model_dump(mode="json")


@allows(Permission.PUBLIC)
def ready() -> Any:
    """Answer 200 once Postgres, Redis and a worker for every queue are there, else 503; lists each."""
    parts: dict[str, bool] = {"postgres": _postgres_answers()}
    try:
        live = live_queues(get_redis())
        parts["redis"] = True
    except redis.RedisError:
        live = {}
        parts["redis"] = False
    parts |= {f"worker:{queue}": queue in live for queue in QUEUES}
    everything = all(parts.values())
    found = Readiness(status="ready" if everything else "not ready", parts=parts)
    response = jsonify(found.model_dump(mode="json"))
    response.status_code = 200 if everything else 503
    return response


def _is_offered(kind: Literal["transcriber", "speaker"], settings: Settings) -> bool:
    """Return whether anybody of those that are named does this, or stands in for them."""
    try:
        return bool(providers.lined(kind, settings))
    except NotOffered:
        return False


class _Notices:
    """What upkeep has found, as it was known a while ago: it is looked up in the background, by one thread at most."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._looked_at = -math.inf
        self._looking = threading.Lock()

    def known(self) -> list[str]:
        if time.monotonic() - self._looked_at > NOTICES_EVERY_S and self._looking.acquire(blocking=False):
            threading.Thread(target=self._look, name="notices", daemon=True).start()
        return self._found

    def _look(self) -> None:
        try:
            self._found = notices.kept(get_redis())
        except StoreUnavailable:
            pass  # `/health/ready` says so.
        finally:
            self._looked_at = time.monotonic()
            self._looking.release()


_notices = _Notices()


def _postgres_answers() -> bool:
    try:
        with get_engine().connect() as connection:
            connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, PrivilegedRole):
        return False
    return True
