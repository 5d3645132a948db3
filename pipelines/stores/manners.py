"""How a turn is to be spoken: its assistant's voice, its user's preferences and account, in one query."""

from typing import Any

from sqlalchemy import Uuid, case, cast, func, select
from sqlalchemy.orm import Session

from pipelines.turn.voices import Manner, manner
from schemas.dialogue import Conversation, Turn
from schemas.errors import UnknownAssistant
from schemas.identity import TenantUser
from schemas.memory import UserPreference
from schemas.tenancy import Agent

_WISHES = ("voice_id", "voice_speed", "language")
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def of_turn(session: Session, turn: Turn) -> Manner:
    """Return how the turn's answer is spoken. Raises UnknownAssistant."""
    owner = select(Conversation.user_id).where(Conversation.conversation_id == turn.conversation_id).scalar_subquery()
    wishes = (
        select(func.jsonb_object_agg(UserPreference.key, UserPreference.value))
        .where(UserPreference.user_id == owner, UserPreference.key.in_(_WISHES))
        .scalar_subquery()
    )
    account = (
        select(
            func.jsonb_build_object(
                "voice_preference",
                TenantUser.voice_preference,
                "language",
                TenantUser.persona_settings["language"],
            )
        )
        # Who asks need not have an account; as text it would be compared with every user's.
        .where(TenantUser.user_id == case((owner.regexp_match(_UUID), cast(owner, Uuid))))
        .scalar_subquery()
    )
    found = session.execute(
        select(Agent.voice_id, Agent.voice_speed, Agent.language, Agent.persona, wishes, account).where(
            Agent.assistant_key == turn.assistant_key
        )
    ).one_or_none()
    if found is None:
        raise UnknownAssistant(f"There is no assistant {turn.assistant_key!r}.")
    voice_id, voice_speed, language, persona, preferred, known = found
    assistant: dict[str, Any] = {
        "voice_id": voice_id,
        "voice_speed": voice_speed,
        "language": language,
        "persona": persona,
    }
    preferred, known = preferred or {}, known or {}
    if not turn.use_persona:
        return manner(assistant | {"persona": {}}, *_without_language(preferred, known), turn.language)
    asked = (turn.persona or {}).get("language")
    return manner(assistant, preferred | ({"language": asked} if asked else {}), known, turn.language)


def _without_language(*layers: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return tuple({name: value for name, value in layer.items() if name != "language"} for layer in layers)
