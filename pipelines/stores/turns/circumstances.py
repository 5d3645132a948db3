"""What an answer depends on besides its question and its passages, read in one statement: somebody waits for it.

The assistant, the versions of what it may rest on, who asks and how they like it, and what was said before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pipelines.stores.database import Driver, Rows, tenant_pipeline
from pipelines.stores.turns.answers import AGENT_VERSION, Standing
from pipelines.turn.prompting.memory import Exchange
from schemas.errors.requests import UnknownAssistant

MAX_READ = 200
"""Exchanges that are read at most."""

_KNOWS = "EXISTS (SELECT FROM document_chunks k WHERE k.tenant_id = {tenant})"
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_OF = f"""
SELECT a.name, a.instructions, a.persona, a.knowledge_filter, a.is_active,
       {_KNOWS.format(tenant="u.tenant_id")} AS knows,
       t.knowledge_version, {AGENT_VERSION} AS agent_version,
       t.custom_settings -> 'model_policy' AS tenant_policy, a.model_policy AS agent_policy, o.user_id,
       (SELECT jsonb_object_agg(p.key, p.value) FROM user_preferences p
        WHERE p.tenant_id = u.tenant_id AND p.user_id = o.user_id) AS preferences,
       (SELECT m.persona_settings FROM tenant_users m WHERE m.tenant_id = u.tenant_id
        AND m.user_id = CASE WHEN o.user_id ~ '{_UUID}' THEN o.user_id::uuid END) AS account,
       s.text AS summary,
       (SELECT jsonb_agg(jsonb_build_array(e.turn_id, e.at, e.question, e.answer, e.cut) ORDER BY e.at, e.turn_id)
        FROM (SELECT m.turn_id, m.created_at AS at,
                     max(m.content) FILTER (WHERE m.role = 'user') AS question,
                     max(m.content) FILTER (WHERE m.role = 'assistant') AS answer,
                     bool_or(b.interrupted_at IS NOT NULL) AS cut
              FROM messages m JOIN turns b ON b.tenant_id = m.tenant_id AND b.turn_id = m.turn_id
              WHERE m.tenant_id = u.tenant_id AND m.conversation_id = u.conversation_id AND m.turn_id <> u.turn_id
                AND (s.covers_until IS NULL OR (m.created_at, m.turn_id) > (s.covers_until, s.covers_turn_id))
              GROUP BY m.turn_id, m.created_at ORDER BY m.created_at DESC, m.turn_id DESC LIMIT {MAX_READ}) e
       ) AS exchanges
FROM ASKED u
JOIN tenants t ON t.tenant_id = u.tenant_id
JOIN agents a ON a.tenant_id = u.tenant_id AND a.assistant_key = u.assistant_key
LEFT JOIN conversations c ON c.tenant_id = u.tenant_id AND c.conversation_id = u.conversation_id
CROSS JOIN LATERAL (SELECT coalesce(c.user_id, u.user_id) AS user_id) o
LEFT JOIN conversation_summaries s ON s.tenant_id = u.tenant_id AND s.conversation_id = u.conversation_id
"""
_OF_TURN = _OF.replace(
    "ASKED",
    "(SELECT tenant_id, turn_id, conversation_id, assistant_key, NULL::text AS user_id FROM turns"
    " WHERE tenant_id = %(tenant)s AND turn_id = %(turn)s)",
)
_OF_ASKED = _OF.replace(
    "ASKED",
    "(SELECT %(tenant)s::uuid AS tenant_id, %(turn)s::uuid AS turn_id, %(conversation)s::uuid AS"
    " conversation_id, %(assistant)s::text AS assistant_key, %(user)s::text AS user_id)",
)


@dataclass(frozen=True)
class Circumstances:
    """What an answer depends on. `user_id` is empty, and nothing said, where there is no conversation.

    `account` is the persona that the user has set in their account; `exchanges`, oldest first, are what the summary
    does not cover. `knows` is whether anything is stored that could be found.
    """

    name: str
    instructions: str
    persona: Mapping[str, Any]
    knowledge_filter: Mapping[str, Any]
    is_active: bool
    knows: bool
    standing: Standing
    user_id: str
    preferences: Mapping[str, Any]
    account: Mapping[str, Any]
    summary: str
    exchanges: tuple[Exchange, ...]


def of_turn(driver: Driver, tenant_id: UUID, turn_id: UUID) -> Rows:
    """Ask for the circumstances of a turn; `found` reads them."""
    return driver.execute(_OF_TURN, {"tenant": tenant_id, "turn": turn_id})


def knows(driver: Driver, tenant_id: UUID) -> Rows:
    """Ask whether anything is stored that could be found: one row, one truth value."""
    return driver.execute(f"SELECT {_KNOWS.format(tenant='%(tenant)s')}", {"tenant": tenant_id})


def of_asked(
    driver: Driver,
    tenant_id: UUID,
    assistant_key: str,
    conversation_id: UUID | None = None,
    user_id: str | None = None,
) -> Rows:
    """Ask for the circumstances of a question that has no row yet; `found` reads them.

    The `user_id` is that of who asks in a conversation that is not there yet.
    """
    # No turn has this id; nothing is unlike null.
    given = {"tenant": tenant_id, "turn": UUID(int=0), "conversation": conversation_id, "user": user_id}
    return driver.execute(_OF_ASKED, {**given, "assistant": assistant_key})


def read(tenant_id: UUID, assistant_key: str) -> Circumstances:
    """Return the circumstances of a question that is asked in no conversation. Raises UnknownAssistant."""
    with tenant_pipeline(tenant_id, durable=False) as driver:
        rows = of_asked(driver, tenant_id, assistant_key)
    return found(rows, assistant_key)


def found(rows: Rows, assistant_key: str) -> Circumstances:
    """Return what was asked for. Raises UnknownAssistant."""
    row = rows.fetchone()
    if row is None:
        raise UnknownAssistant(f"There is no assistant {assistant_key!r}.")
    name, instructions, persona, knowledge_filter, is_active, knows, *standing = row[:10]
    user_id, preferences, account, summary, exchanges = row[10:]
    return Circumstances(
        name=name,
        instructions=instructions,
        persona=persona or {},
        knowledge_filter=knowledge_filter or {},
        is_active=is_active,
        knows=knows,
        standing=Standing(*standing),
        user_id=user_id or "",
        preferences=preferences or {},
        account=account or {},
        summary=summary or "",
        exchanges=tuple(map(_exchange, exchanges or ())),
    )


def _exchange(said: list[Any]) -> Exchange:
    turn_id, at, question, answer, cut = said
    return Exchange(UUID(turn_id), datetime.fromisoformat(at), question or "", answer or "", cut)
