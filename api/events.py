"""An organisation's events as they happen, for one that follows all of them: over HTTP or a WebSocket."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from api import sse
from api.auth import caller
from api.event_filter import Filter
from api.event_places import take_place
from api.openapi_parts import EVENTS
from api.permissions import allows
from schemas.event_requests import EventsQuery
from schemas.events import Subject
from schemas.identity import Permission

blueprint = APIBlueprint("events", __name__, url_prefix="/api/events", abp_tags=[Tag(name="events")])


@blueprint.get("", responses={200: {"description": "The events.", "content": EVENTS}})
@allows(Permission.SELF)
def follow(query: EventsQuery) -> Response:
    """Stream the organisation's events (server-sent events) until the client leaves; resume with `Last-Event-ID`.

    Without a place it begins with what happens from now on. A place that is no longer kept is answered
    with an event `reset` first: events are missing between it and the next.
    """
    asking = caller()
    chosen = Filter(asking, query.types, query.subject)
    leave = take_place(asking.tenant_id)
    try:
        response = sse.stream(Subject.tenant(asking.tenant_id), keep=chosen.wants, after=None, tells_place=True)
    except BaseException:
        leave()
        raise
    response.call_on_close(leave)
    return response
