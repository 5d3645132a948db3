"""Assistants: who answers, how it sounds, what it may know, and which models it prefers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from flask_openapi3 import APIBlueprint, Tag

from api.door import auth
from api.door.auth import Caller, caller
from api.door.paging import cursor, position
from api.door.permissions import allows
from pipelines.stores.database import TenantSession, tenant_session
from pipelines.stores.objects import ObjectStore, document_prefix
from pipelines.stores.operations import audit
from pipelines.stores.organisation import agents
from schemas.errors.callers import Forbidden
from schemas.errors.requests import AssistantInUse, InvalidRequest, UnknownAssistant
from schemas.events import EventName
from schemas.requests.common import Listing
from schemas.requests.organisation.agents import (
    AgentBody,
    AgentCard,
    AgentChange,
    AgentGone,
    AgentPage,
    AgentPath,
    AgentShown,
    AgentView,
    DuplicateBody,
    Leaving,
    kept,
)
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from schemas.tables.tenancy import Agent
from workers import announce

blueprint = APIBlueprint("agents", __name__, url_prefix="/api/agents", abp_tags=[Tag(name="assistants")])

NULLABLE = ("voice_id", "voice_speed", "filler_after_ms", "language")
AT_ONCE = 100
"""Documents that are deleted in one transaction."""


@blueprint.get("", responses={200: AgentPage})
@allows(Permission.SELF)
def listing(query: Listing) -> dict[str, Any]:
    """Return the organisation's assistants, oldest first. Who may only chat sees names and greetings of active ones."""
    asking = _reader()
    with tenant_session(asking.tenant_id) as session:
        found = agents.listing(session, query.limit + 1, position(query.after), active_only=not _sees_all(asking))
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {
        "agents": [_shown(asking, agent) for agent in found[: query.limit]],
        "next": cursor(last.created_at, last.agent_id) if last else None,
    }


@blueprint.post("", responses={201: AgentView})
@allows(Permission.AI_WRITE)
def make(body: AgentBody) -> Response:
    """Add an assistant. Its key is its name in requests, and is never changed."""
    return _made("agent.made", kept(dict(body)))


@blueprint.get("/<key>", responses={200: AgentShown})
@allows(Permission.SELF)
def show(path: AgentPath) -> Response:
    """Return an assistant, its revision as the `ETag`; to who may only chat, its name and greeting."""
    asking = _reader()
    with tenant_session(asking.tenant_id) as session:
        agent = agents.get(session, path.key)
    if not agent.is_active and not _sees_all(asking):
        raise UnknownAssistant
    return _tagged(jsonify(_shown(asking, agent)), agent.revision)


@blueprint.patch("/<key>", responses={200: AgentView})
@allows(Permission.AI_WRITE)
def change(path: AgentPath, body: AgentChange) -> Response:
    """Change what is given of an assistant. With `If-Match`, only while it is the revision named there."""
    asking = caller()
    if body.assistant_key not in (None, path.key):
        raise InvalidRequest("The key of an assistant cannot be changed. Duplicate it under the other key.")
    given = {name: getattr(body, name) for name in body.model_fields_set - {"assistant_key"}}
    fields = {name: value for name, value in kept(given).items() if value is not None or name in NULLABLE}
    with tenant_session(asking.tenant_id) as session:
        agent = agents.get(session, path.key, lock=True)
        agents.require(agent, _matches(agent))
        before = _view(agent)
        agents.change(session, agent, fields)
        view = _view(agent)
        _audit(session, "agent.changed", path.key, *audit.changed(before, view))
    return _tagged(jsonify(view), view["revision"])


@blueprint.delete("/<key>", responses={200: AgentGone})
@allows(Permission.AI_WRITE)
def remove(path: AgentPath, query: Leaving) -> dict[str, Any]:
    """Delete an assistant. One that owns documents or entries only goes with them, or where all may use them then.

    Its conversations stay. The one called `default-assistant` cannot be deleted.
    """
    tenant_id = caller().tenant_id
    with tenant_session(tenant_id) as session:
        agent = agents.get(session, path.key, lock=True)
        agents.require_removable(agent)
        agents.require(agent, _matches(agent))
        if query.documents is None and agents.owned(session, path.key, 1):
            raise AssistantInUse
    deleted = _remove_documents(tenant_id, path.key) if query.documents == "delete" else 0
    with tenant_session(tenant_id) as session:
        view = _view(agents.get(session, path.key, lock=True))
        shared = agents.share(session, tenant_id, path.key) if query.documents == "shared" else 0
        agents.remove(session, path.key)
        receipt = {"assistant_key": path.key, "documents_deleted": deleted, "documents_shared": shared}
        _audit(session, "agent.deleted", path.key, view, receipt)
    return AgentGone(**receipt, deleted_at=datetime.now(UTC)).model_dump(mode="json")


@blueprint.post("/<key>/duplicate", responses={201: AgentView})
@allows(Permission.AI_WRITE)
def duplicate(path: AgentPath, body: DuplicateBody) -> Response:
    """Add an assistant that is set as another one; documents that only that one uses stay its own."""
    with tenant_session(caller().tenant_id) as session:
        agent = agents.get(session, path.key)
        fields = {**agents.copied(agent), "name": body.name or f"{agent.name[:240]} (copy)"}
    return _made("agent.duplicated", {**fields, "assistant_key": body.assistant_key})


def _made(action: str, fields: dict[str, Any]) -> Response:
    tenant_id = caller().tenant_id
    with tenant_session(tenant_id) as session:
        agent = agents.add(session, tenant_id, fields)
        view = _view(agent)
        _audit(session, action, agent.assistant_key, None, view)
    response = _tagged(jsonify(view), view["revision"])
    response.status_code, response.headers["Location"] = 201, f"/api/agents/{view['assistant_key']}"
    return response


def _remove_documents(tenant_id: UUID, key: str) -> int:
    """Delete what only this assistant uses, a hundred at a time; return how many that were."""
    gone = 0
    while True:
        with tenant_session(tenant_id) as session:
            found = agents.owned(session, key, AT_ONCE)
            for document in found:
                # Before the rows go: where the store is away nothing is deleted, and the client asks again.
                ObjectStore(get_settings()).delete_prefix(document_prefix(tenant_id, document.doc_id))
            told = [announce.about(EventName.DOCUMENT_DELETED, each, filename=each.filename) for each in found]
            if found:
                agents.remove_documents(session, tenant_id, found)
            tell = announce.owe(session, tenant_id, told)
        tell()
        gone += len(found)
        if len(found) < AT_ONCE:
            return gone


def _reader() -> Caller:
    """Return who asks. Raises Forbidden where they neither chat nor set assistants up."""
    asking = caller()
    if not asking.permissions & {Permission.CHAT, Permission.AI_WRITE}:
        raise Forbidden(f"Your role or key does not allow this (it needs `{Permission.CHAT}`).")
    return asking


def _sees_all(asking: Caller) -> bool:
    return Permission.AI_WRITE in asking.permissions


def _shown(asking: Caller, agent: Agent) -> dict[str, Any]:
    return _view(agent) if _sees_all(asking) else AgentCard(**_named(agent)).model_dump(mode="json")


def _view(agent: Agent) -> dict[str, Any]:
    names = set(AgentView.model_fields) - {"id"}
    return AgentView(id=agent.agent_id, **{name: getattr(agent, name) for name in names}).model_dump(mode="json")


def _named(agent: Agent) -> dict[str, Any]:
    return {name: getattr(agent, name) for name in AgentCard.model_fields}


def _matches(agent: Agent) -> bool:
    """Tell whether the request is about this revision; it is where it names none."""
    return "If-Match" not in request.headers or request.if_match.contains(str(agent.revision))


def _tagged(response: Response, revision: int) -> Response:
    response.set_etag(str(revision))
    return response


def _audit(session: TenantSession, action: str, key: str, before: Any, after: Any) -> None:
    audit.record(session, session.tenant_id, auth.actor(), action, "agent", key, before=before, after=after)
