"""Widgets: the assistants that visitors of other sites may ask."""

from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pipelines.stores.database import operator_session
from schemas.errors.requests import NotFound
from schemas.tables.tenancy import Agent


def tenant_of(widget_id: UUID) -> UUID:
    """Return whose widget it is. Raises NotFound where it is not on."""
    with operator_session() as session:
        found: UUID | None = session.scalar(text("SELECT tenant_by_widget(:id)"), {"id": widget_id})
    if found is None:
        raise NotFound("There is no widget here, or it is turned off.")
    return found


def get(session: Session, widget_id: UUID) -> Agent:
    """Return the tenant's assistant that a widget shows. Raises NotFound."""
    found = session.scalar(select(Agent).where(Agent.widget_id == widget_id))
    if found is None:
        raise NotFound("There is no widget here, or it is turned off.")
    return found


def change(
    session: Session, agent: Agent, is_on: bool | None, origins: list[str] | None, voice: bool | None, new_id: bool
) -> None:
    """Change what is given of a locked assistant's widget; it has an id from the first time on that it is on."""
    if is_on is not None:
        agent.widget_on = is_on
    if origins is not None:
        agent.widget_origins = list(dict.fromkeys(origins))
    if voice is not None:
        agent.widget_voice = voice
    if new_id if agent.widget_id else agent.widget_on:
        agent.widget_id = uuid4()
    session.flush()
