"""How an assistant is put on other sites."""

from html import escape
from typing import Any

from flask import request
from flask_openapi3 import APIBlueprint, Tag

from api.door import auth
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import audit
from pipelines.stores.organisation import agents, widgets
from schemas.requests.organisation.agents import AgentPath
from schemas.requests.organisation.widgets import WidgetChange, WidgetView
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from schemas.tables.tenancy import Agent

blueprint = APIBlueprint("widget_settings", __name__, url_prefix="/api/agents", abp_tags=[Tag(name="assistants")])


@blueprint.get("/<key>/widget", responses={200: WidgetView})
@allows(Permission.AI_WRITE)
def show(path: AgentPath) -> dict[str, Any]:
    """Return an assistant's widget: on which sites it may be shown, and the line that puts it there."""
    with tenant_session(auth.caller().tenant_id) as session:
        return _view(agents.get(session, path.key))


@blueprint.patch("/<key>/widget", responses={200: WidgetView})
@allows(Permission.AI_WRITE)
def change(path: AgentPath, body: WidgetChange) -> dict[str, Any]:
    """Change what is given of an assistant's widget. What a site is not named is refused there within two seconds."""
    asking = auth.caller()
    with tenant_session(asking.tenant_id) as session:
        agent = agents.get(session, path.key, lock=True)
        before = _view(agent)
        widgets.change(session, agent, body.is_on, body.allowed_origins, body.voice, body.new_id)
        view = _view(agent)
        old, new = audit.changed(before, view)
        audit.record(
            session, asking.tenant_id, auth.actor(), "widget.changed", "agent", path.key, before=old, after=new
        )
    return view


def _view(agent: Agent) -> dict[str, Any]:
    return WidgetView(
        widget_id=agent.widget_id,
        is_on=agent.widget_on,
        allowed_origins=agent.widget_origins,
        voice=agent.widget_voice,
        snippet=_snippet(agent),
    ).model_dump(mode="json")


def _snippet(agent: Agent) -> str:
    if agent.widget_id is None:
        return ""
    here = (get_settings().public_url or request.url_root).rstrip("/")
    return f'<script src="{escape(here)}/widget/widget.js" data-widget="{agent.widget_id}" async></script>'
