"""Questions that could not be answered: what users miss in the documents."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from api.door import auth
from api.door.paging import cursor, position
from api.door.permissions import allows
from api.knowledge import entries
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import unanswered
from pipelines.stores.knowledge.entry_kinds import PAIRS
from pipelines.stores.operations import audit
from pipelines.stores.turns import turns
from schemas.requests.common import IdPath
from schemas.requests.dialogue.feedback import (
    UnansweredAnswer,
    UnansweredChange,
    UnansweredListing,
    UnansweredPage,
    UnansweredView,
)
from schemas.tables.identity import Permission
from schemas.tables.memory import QuestionState
from workers.documents import entries as writers

blueprint = APIBlueprint(
    "unanswered", __name__, url_prefix="/api/knowledge/unanswered", abp_tags=[Tag(name="unanswered questions")]
)


@blueprint.get("", responses={200: UnansweredPage})
@allows(Permission.ANALYTICS_READ)
def listing(query: UnansweredListing) -> dict[str, Any]:
    """Return questions that could not be answered, the last asked first; open ones unless a state is named."""
    with tenant_session(auth.caller().tenant_id) as session:
        found = unanswered.listing(
            session,
            query.limit + 1,
            position(query.after),
            state=None if query.state == "all" else query.state,
            assistant_key=query.assistant_key,
            text=query.q or None,
        )
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {
        "questions": [unanswered.view(one) for one in found[: query.limit]],
        "next": cursor(last.last_asked_at, last.question_id) if last else None,
    }


@blueprint.get("/<uuid:id>", responses={200: UnansweredView})
@allows(Permission.ANALYTICS_READ)
def show(path: IdPath) -> dict[str, Any]:
    """Return a question that could not be answered, and what came nearest to it."""
    with tenant_session(auth.caller().tenant_id) as session:
        return unanswered.view(unanswered.get(session, path.id))


@blueprint.patch("/<uuid:id>", responses={200: UnansweredView})
@allows(Permission.AI_WRITE)
def change(path: IdPath, body: UnansweredChange) -> dict[str, Any]:
    """Dismiss a question, call it answered (a document was added), or open it again."""
    asking = auth.caller()
    with tenant_session(asking.tenant_id) as session:
        found = unanswered.get(session, path.id, lock=True)
        before = {"state": found.state}
        unanswered.decide(session, found, QuestionState(body.state), asking.name or asking.user_id)
        audit.record(
            session,
            asking.tenant_id,
            auth.actor(),
            "unanswered.changed",
            "unanswered_question",
            path.id,
            before=before,
            after={"state": found.state},
        )
        return unanswered.view(found)


@blueprint.post("/<uuid:id>/answer", responses={201: UnansweredView})
@allows(Permission.AI_WRITE)
def answer(path: IdPath, body: UnansweredAnswer) -> Any:
    """Answer a question: a training pair that is given word for word from now on, by the assistant that was asked.

    `Prefer: wait=N` waits until it is.
    """
    asking = auth.caller()
    with tenant_session(asking.tenant_id) as session:
        found = unanswered.get(session, path.id)
        turns.agent(session, found.assistant_key)
    pair = {"prompt": body.question or found.question, "response": body.response, "tags": []}
    put = writers.add(PAIRS, entries.writer(asking), {**pair, "assistant_key": found.assistant_key})
    with tenant_session(asking.tenant_id) as session:
        found = unanswered.get(session, path.id, lock=True)
        before = {"state": found.state}
        unanswered.decide(session, found, QuestionState.ANSWERED, asking.name or asking.user_id, put.id)
        after = {"state": found.state, "answered_by": str(put.id)}
        audit.record(
            session,
            asking.tenant_id,
            auth.actor(),
            "unanswered.answered",
            "unanswered_question",
            path.id,
            before=before,
            after=after,
        )
        view = unanswered.view(found)
    entries.wait(asking, put.id)
    return view, 201
