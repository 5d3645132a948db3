"""What the tests of limits do: many things at once, and requests of one tenant."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pipelines.stores.database import tenant_session
from pipelines.stores.identity import api_keys
from schemas.tables.identity import Permission

T = TypeVar("T")
SetLimits = Callable[..., UUID]
SCOPES = [Permission.DOCUMENTS_READ, Permission.DOCUMENTS_WRITE, Permission.ANALYTICS_READ]


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """Return what `act` returned for 0…count-1, all called at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


class Door:
    """Requests of one tenant's API key."""

    def __init__(self, app: Flask, tenant_id: UUID) -> None:
        self.app, self.tenant_id = app, tenant_id
        with tenant_session(tenant_id) as session:
            key, secret = api_keys.add(session, tenant_id, "tests", [str(scope) for scope in SCOPES], "tests", None)
        self.key_id, self.headers = key.key_id, {"X-API-Key": secret.text}

    def open(self, method: str, path: str, **given: Any) -> TestResponse:
        client: FlaskClient = self.app.test_client()
        return client.open(path, method=method, headers=self.headers, **given)

    def get(self, path: str = "/api/documents") -> TestResponse:
        return self.open("GET", path)

    def upload(self, content: bytes) -> TestResponse:
        return self.open("POST", "/api/documents/upload", data={"file": (io.BytesIO(content), f"{uuid4()}.txt")})
