"""How a turn is to be spoken: its assistant's voice, its user's preferences and account, in one query."""

from typing import Any
from uuid import UUID

from pipelines.stores.database import Driver, Rows
from pipelines.turn.speaking.voices import Manner, manner
from schemas.errors.requests import UnknownAssistant
from schemas.tables.dialogue import Turn

# Who asks need not have an account; as text it would be compared with every user's.
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_OF_TURN = f"""
SELECT a.voice_id, a.voice_speed, a.language, a.persona,
       (SELECT jsonb_object_agg(p.key, p.value) FROM user_preferences p
        WHERE p.tenant_id = t.tenant_id AND p.user_id = c.user_id
        AND p.key IN ('voice_id', 'voice_speed', 'language')) AS wishes,
       (SELECT jsonb_build_object('voice_preference', m.voice_preference, 'language', m.persona_settings -> 'language')
        FROM tenant_users m WHERE m.tenant_id = t.tenant_id
        AND m.user_id = CASE WHEN c.user_id ~ '{_UUID}' THEN c.user_id::uuid END) AS account
FROM turns t
JOIN agents a ON a.tenant_id = t.tenant_id AND a.assistant_key = t.assistant_key
LEFT JOIN conversations c ON c.tenant_id = t.tenant_id AND c.conversation_id = t.conversation_id
WHERE t.tenant_id = %(tenant)s AND t.turn_id = %(turn)s
"""


def of_turn(driver: Driver, tenant_id: UUID, turn_id: UUID) -> Rows:
    """Ask how the turn's answer is spoken; `found` reads it."""
    return driver.execute(_OF_TURN, {"tenant": tenant_id, "turn": turn_id})


def found(rows: Rows, turn: Turn) -> Manner:
    """Return how the turn's answer is spoken. Raises UnknownAssistant."""
    row = rows.fetchone()
    if row is None:
        raise UnknownAssistant(f"There is no assistant {turn.assistant_key!r}.")
    voice_id, voice_speed, language, persona, preferred, known = row
    assistant: dict[str, Any] = {
        "voice_id": voice_id,
        "voice_speed": voice_speed,
        "language": language,
        "persona": persona,
    }
    preferred, known = preferred or {}, known or {}
    if not turn.use_persona:
        plain = assistant | {"persona": {}}
        return manner(plain, _without_language(preferred), _without_language(known), turn.language)
    asked = (turn.persona or {}).get("language")
    return manner(assistant, preferred | ({"language": asked} if asked else {}), known, turn.language)


def _without_language(layer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in layer.items() if name != "language"}
