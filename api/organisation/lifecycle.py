"""The end of an organisation's stay: taking all its data along, and having all of it deleted."""

import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request, url_for
from flask_openapi3 import APIBlueprint, Tag

from api.door import waiting
from api.door.auth import actor, caller
from api.door.permissions import allows
from api.live import sse
from api.live.handshake import connection
from pipelines.stores.database import tenant_session
from pipelines.stores.objects import ObjectStore
from pipelines.stores.operations import audit
from pipelines.stores.operations.audit import Actor
from pipelines.stores.organisation import tenant_deletion, tenant_export
from schemas.errors.providers import TooBusy
from schemas.errors.requests import InvalidRequest, NotFound
from schemas.requests.organisation.lifecycle import DeletionBody, DeletionView, TenantPath
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from schemas.tables.records import TenantDeletion
from schemas.tables.tenancy import Tenant
from workers import send

blueprint = APIBlueprint("lifecycle", __name__, url_prefix="/api", abp_tags=[Tag(name="tenant")])

EXPORTS_AT_ONCE = 4
"""Archives a web process makes at a time: each holds a thread and, at first, a database connection."""

GLANCE_S = 0.25

_exporting: set[UUID] = set()
_exporting_lock = threading.Lock()


@blueprint.get("/tenant/export", responses={200: {"content": {"application/zip": {"schema": {"type": "string"}}}}})
@allows(Permission.TENANT_ADMIN)
def export() -> Response:
    """Stream everything the organisation owns as a zip archive; `manifest.json` in it says what it holds.

    Secrets (password hashes, keys, tokens) are left out. One archive of an organisation at a time.
    """
    tenant_id = caller().tenant_id
    give_back = _begin_export(tenant_id)
    try:
        with tenant_session(tenant_id) as session:
            subdomain = _tenant(session.get(Tenant, tenant_id)).subdomain
            audit.record(session, tenant_id, actor(), "tenant.exported", "tenant", tenant_id)
        pieces = tenant_export.archive(tenant_id, ObjectStore(get_settings()))
        # The first piece is read before anything is promised: a store that is away answers 503.
        first = next(pieces)
    except BaseException:
        give_back()
        raise
    client = connection(request)
    if client is not None:
        # A write that nobody reads would hold its thread and the snapshot for ever.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", sse.STALL_S, 0))
    response = Response(itertools.chain([first], pieces), content_type="application/zip")
    name = f"{subdomain}-{datetime.now(UTC):%Y-%m-%d}.zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(pieces.close)
    response.call_on_close(give_back)
    return response


@blueprint.delete("/tenant", responses={202: DeletionView, 200: DeletionView})
@allows(Permission.TENANT_ADMIN)
def delete(body: DeletionBody) -> Response:
    """Delete the organisation with everything it owns. This cannot be undone.

    `confirm` must repeat its name. `Prefer: wait=N` waits up to N seconds and answers 200 with the receipt.
    """
    tenant_id = caller().tenant_id
    with tenant_session(tenant_id) as session:
        name = _tenant(session.get(Tenant, tenant_id)).organization_name
    if body.confirm != name.strip():
        raise InvalidRequest("confirm: this is not the organisation's name.")
    return answer(request_deletion(tenant_id, actor()))


@blueprint.delete("/tenants/<uuid:id>", responses={202: DeletionView, 200: DeletionView})
@allows(Permission.OPERATE)
def delete_any(path: TenantPath) -> Response:
    """Delete an organisation with everything it owns, as the operator. This cannot be undone.

    `Prefer: wait=N` waits up to N seconds and answers 200 with the receipt.
    """
    return answer(request_deletion(path.id, actor()))


@blueprint.get("/tenants/<uuid:id>/deletion", responses={200: DeletionView})
@allows(Permission.OPERATE)
def show_deletion(path: TenantPath) -> dict[str, Any]:
    """Return how far the deletion of an organisation is, with its receipt; also long after it is gone."""
    return _view(_deletion(path.id)).model_dump(mode="json")


def request_deletion(tenant_id: UUID, requested_by: Actor) -> DeletionView:
    """Close the tenant's door, write down that it is to be deleted, and wake who does it.

    Raises NotFound, and Conflict for the default tenant.
    """
    with tenant_session(tenant_id) as session:
        view = _view(tenant_deletion.request(session, tenant_id, requested_by))
    send.tenant_deletion(tenant_id)
    return view


def answer(asked: DeletionView) -> Response:
    """Return 202, or 200 where the request waits and the deletion has finished meanwhile."""
    wait_s = waiting.preferred_wait_s() or 0.0
    deadline = time.monotonic() + wait_s
    while asked.receipt.finished_at is None and time.monotonic() < deadline:
        # The row is all that is left to look at: an event's stream would be one more thing to delete.
        time.sleep(GLANCE_S)
        asked = _view(_deletion(asked.tenant_id))
    response = jsonify(asked.model_dump(mode="json"))
    response.status_code = 202 if asked.receipt.finished_at is None else 200
    response.headers["Location"] = asked.receipt_url
    return response


def _deletion(tenant_id: UUID) -> TenantDeletion:
    with tenant_session(tenant_id) as session:
        return tenant_deletion.get(session, tenant_id)


def _view(deletion: TenantDeletion) -> DeletionView:
    receipt = tenant_deletion.receipt(deletion)
    status = "verified" if receipt.verified_at else "finished" if receipt.finished_at else "running"
    return DeletionView(
        tenant_id=deletion.tenant_id,
        organization_name=deletion.organization_name,
        requested_by=deletion.requested_by,
        requested_at=deletion.requested_at,
        status=status,
        receipt=receipt,
        receipt_url=url_for("lifecycle.show_deletion", id=deletion.tenant_id),
    )


def _tenant(found: Tenant | None) -> Tenant:
    if found is None:
        raise NotFound("There is no organisation with this id.")
    return found


def _begin_export(tenant_id: UUID) -> Callable[[], None]:
    """Take the place of an export and return what gives it back. Raises TooBusy."""
    with _exporting_lock:
        if tenant_id in _exporting:
            raise TooBusy("An export of this organisation is running already.", retry_after_s=30)
        if len(_exporting) >= EXPORTS_AT_ONCE:
            raise TooBusy(retry_after_s=30)
        _exporting.add(tenant_id)

    def give_back() -> None:
        with _exporting_lock:
            _exporting.discard(tenant_id)

    return give_back
