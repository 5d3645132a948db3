"""What the widget asks in a visitor's name: to be let in, and an answer."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from flask_openapi3 import APIBlueprint, Tag

from api.dialogue import visitor_events
from api.dialogue.turns import ask, cancel_turn, ends, last_event
from api.door import auth, origins, visitors
from api.door.auth import Caller, caller
from api.door.openapi_parts import EVENTS
from api.door.permissions import allows
from api.live import sse
from api.spoken.talk import Acts
from pipelines.stores import events
from pipelines.stores.database import tenant_session
from pipelines.stores.events import Published
from pipelines.stores.organisation import rates, tenants, widgets
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from schemas.errors.callers import Forbidden
from schemas.errors.requests import NotReady, UnknownAssistant
from schemas.events import Subject
from schemas.requests.common import IdPath
from schemas.requests.organisation.widgets import VisitAnswer, VisitorQuestion, WidgetPath
from schemas.tables.identity import Permission

blueprint = APIBlueprint("widget", __name__, url_prefix="/api/widget", abp_tags=[Tag(name="widget")])

VISITS_PER_HOUR = 60
"""Tokens for one address, behind which may be a whole office."""

VISITS_OF_ALL_PER_HOUR = 10_000
"""Tokens of one widget, from wherever."""

STREAM = {200: {"description": "The events.", "content": EVENTS}}


@blueprint.post("/<uuid:id>/visits", responses={201: VisitAnswer})
@allows(Permission.PUBLIC)
def visit(path: WidgetPath) -> Any:
    """Let a visitor of a site in that the widget names; the browser says which by the `Origin` header."""
    rates.tries(get_redis(), "visit", f"{request.remote_addr}|{path.id}", VISITS_PER_HOUR, 3600)
    tenant_id = widgets.tenant_of(path.id)
    rates.tries(get_redis(), "visits", str(path.id), VISITS_OF_ALL_PER_HOUR, 3600)
    origin = request.headers.get("Origin", "")
    with tenant_session(tenant_id, durable=False) as session:
        agent, tenant = widgets.get(session, path.id), tenants.get(session, tenant_id)
        if origin not in agent.widget_origins and not origins.is_own(origin, request):
            raise Forbidden("This site may not show the widget. Whoever runs the assistant can allow it.")
        answer = {
            "name": agent.name,
            "greeting": agent.greeting,
            "language": agent.language,
            "voice": agent.widget_voice,
            "branding": {name: getattr(tenant, name) for name in ("organization_name", "custom_logo", "brand_colors")},
        }
    token = visitors.issue(tenant_id, path.id, origin)
    return VisitAnswer(token=token, expires_in=visitors.VALID_S, **answer).model_dump(mode="json"), 201


@blueprint.post("/chat", responses=STREAM)
@allows(Permission.VISIT)
def chat(body: VisitorQuestion) -> Response:
    """Answer a visitor's question with events; `Location` is where they are found again."""
    asking = _visitor()
    subject = partial(Subject.conversation, asking.tenant_id)
    before = events.last_id(get_redis(), subject(body.conversation_id)) if body.conversation_id else events.START
    turn = ask(asking, body.conversation_id, assistant_key=asking.assistant_key or "", question=body.message)
    response = _stream(asking, turn.conversation_id, turn.turn_id, before)
    response.headers["Location"] = url_for("widget.again", id=turn.turn_id)
    return response


@blueprint.get("/turns/<uuid:id>/events", responses=STREAM)
@allows(Permission.VISIT)
def again(path: IdPath) -> Response:
    """Stream the events of a visitor's question; resume with `Last-Event-ID`."""
    asking = _visitor()
    return _stream(asking, _conversation_of(asking, path.id), path.id)


@blueprint.delete("/turns/<uuid:id>", responses={204: None})
@allows(Permission.VISIT)
def stop(path: IdPath) -> Any:
    """Stop the answer to a visitor's question."""
    asking = _visitor()
    _conversation_of(asking, path.id)
    if not cancel_turn(asking, path.id):
        raise NotReady("The answer has ended already.")
    return "", 204


def talking(acts: Acts) -> Acts:
    """Return what a visitor's voice session does: the same as any, with the one assistant that they may ask."""

    def open_conversation(asking: Caller, _: str, conversation_id: UUID | None) -> UUID:
        return acts.open_conversation(asking, _assistant(asking), conversation_id)

    def start_turn(asking: Caller, conversation_id: UUID, **asked: Any) -> UUID:
        return acts.start_turn(asking, conversation_id, **{**asked, "assistant_key": _assistant(asking)})

    return replace(
        acts,
        authenticate=_talker,
        open_conversation=open_conversation,
        start_turn=start_turn,
        filler_after_s=lambda asking, _: acts.filler_after_s(asking, _assistant(asking)),
        tells=visitor_events.told,
    )


def _talker(token: str | None) -> Caller:
    """Return the visitor who talks. Raises Forbidden where the widget is for writing only."""
    asking = auth.holder(token, Permission.VISIT)
    with tenant_session(asking.tenant_id, durable=False) as session:
        if asking.credential is None or not widgets.get(session, asking.credential).widget_voice:
            raise Forbidden("This widget takes no calls.")
    return asking


def _visitor() -> Caller:
    asking = caller()
    _assistant(asking)
    return asking


def _assistant(asking: Caller) -> str:
    """Return the assistant that the visitor may ask. Raises UnknownAssistant."""
    if asking.assistant_key is None:
        raise UnknownAssistant
    return asking.assistant_key


def _conversation_of(asking: Caller, turn_id: UUID) -> UUID:
    with tenant_session(asking.tenant_id, durable=False) as session:
        return turns.get(session, turn_id, asking.user_id).conversation_id


def _stream(asking: Caller, conversation_id: UUID, turn_id: UUID, after: str = events.START) -> Response:
    def is_told(event: Published) -> bool:
        return event.data.get("turn_id") == str(turn_id)

    return sse.stream(
        Subject.conversation(asking.tenant_id, conversation_id),
        keep=is_told,
        told=visitor_events.told,
        until=lambda event: ends(event, turn_id),
        settled=lambda: last_event(asking, turn_id),
        after=after,
    )
