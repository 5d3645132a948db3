"""What is remembered of users: preferences, their consent, summaries; and forgetting all of it."""

from datetime import UTC, datetime
from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from api.dialogue import whose
from api.door import auth
from api.door.paging import cursor, position
from api.door.permissions import allows
from pipelines.stores.database import tenant_session
from pipelines.stores.dialogue import conversations, forgetting, preferences
from pipelines.stores.operations import audit
from pipelines.stores.redis import get_redis
from schemas.requests.dialogue.memory import (
    ConsentBody,
    ConsentView,
    ForgetReceipt,
    Forgotten,
    OfUser,
    PreferenceBody,
    PreferenceList,
    PreferencePath,
    SummaryPage,
    Whose,
)
from schemas.tables.identity import Permission
from schemas.tables.memory import ConversationSummary, UserPreference

blueprint = APIBlueprint("memory", __name__, url_prefix="/api/memory", abp_tags=[Tag(name="memory")])


@blueprint.get("/preferences", responses={200: PreferenceList})
@allows(Permission.CHAT)
def listing(query: Whose) -> dict[str, Any]:
    """Return what a user prefers, stated or learned, and whether more may be learned."""
    return _listed(whose.read(query.user_id))


@blueprint.put("/preferences", responses={200: PreferenceList})
@allows(Permission.CHAT)
def state(query: Whose, body: PreferenceBody) -> dict[str, Any]:
    """State one preference or many; those that are not named stay. What is stated counts more than what was learned."""
    asking = whose.write(query.user_id)
    with tenant_session(asking.tenant_id) as session:
        preferences.put(session, asking.tenant_id, asking.user_id, body.preferences)
        whose.audit_for_others(session, asking, "memory.preferences_stated", keys=sorted(body.preferences))
    return _listed(asking)


@blueprint.delete("/preferences", responses={200: Forgotten})
@allows(Permission.CHAT)
def remove_all(query: Whose) -> dict[str, Any]:
    """Forget all preferences of a user."""
    asking = whose.write(query.user_id)
    with tenant_session(asking.tenant_id) as session:
        forgotten = preferences.remove_all(session, asking.user_id)
        whose.audit_for_others(session, asking, "memory.preferences_forgotten", forgotten=forgotten)
    return {"user_id": asking.user_id, "forgotten": forgotten}


@blueprint.delete("/preferences/<key>", responses={200: Forgotten})
@allows(Permission.CHAT)
def remove(path: PreferencePath, query: Whose) -> dict[str, Any]:
    """Forget one preference."""
    asking = whose.write(query.user_id)
    with tenant_session(asking.tenant_id) as session:
        preferences.remove(session, asking.user_id, path.key)
        whose.audit_for_others(session, asking, "memory.preferences_forgotten", keys=[path.key])
    return {"user_id": asking.user_id, "forgotten": 1}


@blueprint.get("/consent", responses={200: ConsentView})
@allows(Permission.CHAT)
def consent(query: Whose) -> dict[str, Any]:
    """Return whether a user lets preferences be learned of what they say."""
    asking = whose.read(query.user_id)
    with tenant_session(asking.tenant_id) as session:
        learn, decided_at = preferences.consent(session, asking.user_id)
    return {"user_id": asking.user_id, "learn": learn, "decided_at": _iso(decided_at), "forgotten": 0}


@blueprint.put("/consent", responses={200: ConsentView})
@allows(Permission.CHAT)
def decide(query: Whose, body: ConsentBody) -> dict[str, Any]:
    """Allow that preferences are learned, or no longer: then what was learned is forgotten at once."""
    asking = whose.write(query.user_id)
    with tenant_session(asking.tenant_id) as session:
        forgotten = preferences.set_consent(session, asking.tenant_id, asking.user_id, body.learn)
        learn, decided_at = preferences.consent(session, asking.user_id)
        audit.record(
            session,
            asking.tenant_id,
            auth.actor(),
            "memory.consent",
            "user",
            asking.user_id,
            after={"learn": learn, "forgotten": forgotten},
        )
    return {"user_id": asking.user_id, "learn": learn, "decided_at": _iso(decided_at), "forgotten": forgotten}


@blueprint.get("/summaries", responses={200: SummaryPage})
@allows(Permission.CHAT)
def summaries(query: OfUser) -> dict[str, Any]:
    """Return the summaries of a user's long conversations, the newest first."""
    asking = whose.read(query.user_id)
    with tenant_session(asking.tenant_id) as session:
        found = conversations.summaries(session, asking.user_id, query.limit + 1, position(query.after))
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {
        "summaries": [_summary(one) for one in found[: query.limit]],
        "next": cursor(last.updated_at, last.conversation_id) if last else None,
    }


@blueprint.delete("", responses={200: ForgetReceipt})
@allows(Permission.CHAT)
def forget(query: Whose) -> dict[str, Any]:
    """Forget a user: conversations with all that was said, preferences, consent, summaries, feedback.

    The receipt says how much that was, and what a second count found. What it has cost stays, without a word of it.
    """
    asking = whose.write(query.user_id)
    deleted, left = forgetting.user(get_redis(), asking.tenant_id, asking.user_id)
    with tenant_session(asking.tenant_id) as session:
        about = {"deleted": deleted, "left": left}
        audit.record(session, asking.tenant_id, auth.actor(), "memory.forgotten", "user", asking.user_id, after=about)
    return {"user_id": asking.user_id, "conversation_id": None, **receipt(deleted, left)}


def receipt(deleted: dict[str, int], left: dict[str, int]) -> dict[str, Any]:
    """Return what a deletion tells."""
    return {
        "deleted": deleted,
        "left": left,
        "complete": not any(left.values()),
        "deleted_at": datetime.now(UTC).isoformat(),
    }


def _listed(asking: auth.Caller) -> dict[str, Any]:
    with tenant_session(asking.tenant_id) as session:
        found = preferences.listing(session, asking.user_id)
        learn, _ = preferences.consent(session, asking.user_id)
    return {"user_id": asking.user_id, "learn": learn, "preferences": [_preference(one) for one in found]}


def _preference(found: UserPreference) -> dict[str, Any]:
    return {
        "key": found.key,
        "value": found.value,
        "source": found.source,
        "confidence": found.confidence,
        "turn_id": str(found.turn_id) if found.turn_id else None,
        "updated_at": found.updated_at.isoformat(),
    }


def _summary(found: ConversationSummary) -> dict[str, Any]:
    return {
        "conversation_id": str(found.conversation_id),
        "text": found.text,
        "turns": found.turns,
        "covers_until": found.covers_until.isoformat(),
        "tokens": found.tokens,
        "made_by": found.made_by,
        "updated_at": found.updated_at.isoformat(),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
