"""Asking for the deletion of a tenant, and looking at what has come of it."""

import json
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient

from api.organisation.lifecycle import request_deletion
from pipelines.stores.database import tenant_session
from pipelines.stores.operations.audit import SYSTEM
from pipelines.stores.organisation import tenant_deletion
from pipelines.stores.redis import get_redis
from schemas.requests.organisation.lifecycle import Receipt
from tests.integration.lifecycle.conftest import Owner


def ask(client: FlaskClient, owner: Owner) -> None:
    """Ask for the deletion as an operator would."""
    with client.application.test_request_context():
        request_deletion(owner.tenant_id, SYSTEM)


def receipt(tenant_id: UUID) -> Receipt:
    with tenant_session(tenant_id) as session:
        return tenant_deletion.receipt(tenant_deletion.get(session, tenant_id))


def messages(task: str, tenant_id: UUID) -> list[dict[str, Any]]:
    """Return the waiting upkeep messages of this task for the tenant."""
    waiting = [json.loads(message) for message in get_redis().lrange("upkeep", 0, -1)]
    return [m for m in waiting if m["headers"]["task"] == task and str(tenant_id) in m["headers"]["argsrepr"]]
