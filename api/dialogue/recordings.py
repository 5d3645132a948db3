"""Recordings of what was said, where the organisation keeps them (docs/recording.md): listed, heard, deleted."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response, url_for
from flask_openapi3 import APIBlueprint, Tag

from api.dialogue import whose
from api.door import auth
from api.door.auth import Caller
from api.door.paging import cursor, position
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.objects import ObjectStore
from pipelines.stores.turns import recordings
from schemas.errors.requests import NotFound
from schemas.requests.dialogue.recordings import RecordingListing, RecordingPage, RecordingView, TurnPath
from schemas.settings import get_settings
from schemas.tables.identity import Permission
from schemas.tables.recordings import Recording

blueprint = APIBlueprint("recordings", __name__, url_prefix="/api/recordings", abp_tags=[Tag(name="voice")])

SOUND = {200: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}}}


def days(asking: Caller) -> int | None:
    """Return for how many days what the caller says is kept; None where it is not, and nobody need be told."""
    with tenant_session(asking.tenant_id, durable=False) as session:
        return recordings.days(session)


@blueprint.get("", responses={200: RecordingPage})
@allows(Permission.CHAT)
def listing(query: RecordingListing) -> dict[str, Any]:
    """Return a user's recordings, newest first."""
    asking = whose.read(query.user_id)
    with tenant_session(asking.tenant_id) as session:
        place, of = position(query.after), query.conversation_id
        found = recordings.page(session, query.limit + 1, place, asking.user_id, of)
        lifetime = recordings.lifetime(session)
    shown = found[: query.limit]
    last = shown[-1] if len(found) > query.limit else None
    page = RecordingPage(
        recordings=[_view(one, lifetime) for one in shown],
        next=cursor(last.created_at, last.turn_id) if last else None,
    )
    return page.model_dump(mode="json")


@blueprint.get("/<uuid:turn_id>/question", responses=SOUND)
@allows(Permission.CHAT)
def question(path: TurnPath) -> Response:
    """Return what was asked, as WAV."""
    return _sound(path.turn_id, recordings.QUESTION)


@blueprint.get("/<uuid:turn_id>/answer", responses=SOUND)
@allows(Permission.CHAT)
def answer(path: TurnPath) -> Response:
    """Return what was answered, as WAV: all that was spoken, also what an interruption left unheard."""
    return _sound(path.turn_id, recordings.ANSWER)


@blueprint.delete("/<uuid:turn_id>", responses={204: None})
@allows(Permission.CHAT)
def remove(path: TurnPath) -> tuple[str, int]:
    """Delete the recording of a turn; what it was understood as stays."""
    asking = auth.caller()
    with tenant_session(asking.tenant_id) as session:
        found, user_id = recordings.get(session, path.turn_id, None if asking.sees_all else asking.user_id)
    recordings.drop_sound(ObjectStore(get_settings()), asking.tenant_id, found.conversation_id, path.turn_id)
    with tenant_session(asking.tenant_id) as session:
        recordings.remove(session, path.turn_id)
        of = replace(asking, user_id=user_id)
        whose.audit_for_others(session, of, "recording.deleted", turn_id=str(path.turn_id))
    return "", 204


def _sound(turn_id: UUID, name: str) -> Response:
    asking = auth.caller()
    with tenant_session(asking.tenant_id) as session:
        found, user_id = recordings.get(session, turn_id, None if whose.reads_all(asking) else asking.user_id)
        if (found.question_ms if name == recordings.QUESTION else found.answer_ms) is None:
            raise NotFound("Nothing of this was recorded.")
        of = replace(asking, user_id=user_id)
        whose.audit_for_others(session, of, "recording.heard", turn_id=str(turn_id), part=name)
    response = Response(ObjectStore(get_settings()).get(recordings.key(found, name)), content_type="audio/wav")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _view(found: Recording, lifetime: Any) -> RecordingView:
    lengths = {"question": found.question_ms, "answer": found.answer_ms}
    seconds = {f"{name}_s": None if length is None else length / 1e3 for name, length in lengths.items()}
    urls = {
        f"{name}_url": None if length is None else url_for(f"recordings.{name}", turn_id=found.turn_id)
        for name, length in lengths.items()
    }
    return RecordingView(
        turn_id=found.turn_id,
        conversation_id=found.conversation_id,
        created_at=found.created_at,
        expires_at=found.created_at + lifetime,
        **seconds,
        **urls,
    )
