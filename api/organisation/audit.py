"""The audit log: who did what, for the organisation's admins."""

import csv
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Response, json
from flask_openapi3 import APIBlueprint, Tag

from api.door.auth import caller
from api.door.paging import number
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import audit
from schemas.requests.organisation.tenants import AuditListing, AuditPage, AuditView
from schemas.tables.identity import Permission
from schemas.tables.records import AuditEntry

blueprint = APIBlueprint("audit", __name__, url_prefix="/api/tenant/audit", abp_tags=[Tag(name="audit")])

PAGE = 500
CSV = {"text/csv": {"schema": {"type": "string"}}}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


@blueprint.get("", responses={200: AuditPage})
@allows(Permission.TENANT_ADMIN)
def listing(query: AuditListing) -> dict[str, Any]:
    """Return administrative acts, newest first."""
    before = number(query.after) if query.after is not None else None
    with tenant_session(caller().tenant_id) as session:
        found = audit.listing(session, query.limit + 1, before, query.action, query.actor, query.since)
    more = len(found) > query.limit
    return {
        "entries": [_view(entry) for entry in found[: query.limit]],
        "next": str(found[query.limit - 1].audit_id) if more else None,
    }


@blueprint.get("/export", responses={200: {"description": "The log.", "content": CSV}})
@allows(Permission.TENANT_ADMIN)
def export() -> Response:
    """Return the whole log as CSV, newest first."""
    response = Response(_rows(caller().tenant_id), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _rows(tenant_id: UUID) -> Iterator[str]:
    names = list(AuditView.model_fields)
    yield _line(names)
    before: int | None = None
    while found := _page(tenant_id, PAGE, before):
        for entry in found:
            view = _view(entry)
            yield _line([view[name] for name in names])
        before = found[-1].audit_id


def _page(tenant_id: UUID, limit: int, before: int | None) -> list[AuditEntry]:
    with tenant_session(tenant_id) as session:
        return list(audit.listing(session, limit, before))


def _line(values: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_cell(value) for value in values])
    return line.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else json.dumps(value) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _view(entry: AuditEntry) -> dict[str, Any]:
    return AuditView.model_validate(entry, from_attributes=True).model_dump(mode="json")
