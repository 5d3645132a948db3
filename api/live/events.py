"""An organisation's events as they happen, for one that follows all of them: over HTTP or a WebSocket."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from api.door.auth import caller
from api.door.openapi_parts import EVENTS
from api.door.permissions import allows
from api.live import sse
from api.live.event_filter import Filter
from api.live.event_places import take_place
from schemas.events import Subject
from schemas.requests.events import EventsQuery
from schemas.tables.identity import Permission

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
