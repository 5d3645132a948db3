"""What a turn's model is asked: the assistant's instructions, who asks and how, what was said before, the passages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from pipelines.ports import Passage, Persona, Prompt, Said
from pipelines.stores import conversations, preferences, turns
from pipelines.stores.database import tenant_session
from pipelines.turn import memory, persona, prompt
from pipelines.turn.preferences import Heard, acknowledgement, hear
from schemas.dialogue import Turn
from schemas.settings import get_settings
from schemas.tenancy import Agent
from workers import send


@dataclass(frozen=True)
class Asker:
    """Who asks, as far as it matters to the answer: what they prefer, and how it is to sound."""

    known: Mapping[str, Any]
    persona: Persona | None
    learned: frozenset[str]


def prompt_for(session: Session, turn: Turn, passages: Sequence[Passage]) -> Prompt:
    """Return all that the turn's answer is made from. Raises UnknownAssistant.

    Preferences that the question tells of are learned here, where their user allows it, and kept with the turn.
    To be called again is to say it again: nothing is learned twice.
    """
    agent = turns.agent(session, turn.assistant_key)
    heard = hear(turn.question or "")
    asker = _asker(session, turn, agent, heard)
    if heard.wishes or asker.persona is not None:
        turns.heard(session, turn, _noticed(heard, asker.learned), asker.persona is not None)
    return prompt.build(
        question=heard.question or turn.question or "",
        passages=passages,
        agent_name=agent.name,
        agent_instructions=agent.instructions,
        history=_history(session, turn) if turn.use_memory else (),
        spoken=turn.spoken,
        confidence=turn.confidence or 0.0,
        threshold=get_settings().match_threshold,
        persona=asker.persona,
        about=asker.known if turn.use_memory else {wish.key: wish.value for wish in heard.wishes},
        grounded=turn.search_knowledge,
        reply=None if heard.question else acknowledgement(heard.wishes, bool(asker.learned)) or None,
    )


def remember(turn: Turn) -> None:
    """Have the turn's conversation summarised where it has more than a prompt carries whole; after the answer."""
    with tenant_session(turn.tenant_id, durable=False) as session:
        size = conversations.unsummarised_bytes(session, turn.conversation_id)
    if turn.use_memory and size > get_settings().history_tokens * memory.BYTES_PER_TOKEN:
        send.summary(turn.tenant_id, turn.conversation_id)


def _asker(session: Session, turn: Turn, agent: Agent, heard: Heard) -> Asker:
    """Return who asks; what they say now counts for this answer, whatever is kept of it."""
    user_id = conversations.owner(session, turn.conversation_id) or ""
    learned = preferences.learn(session, turn, user_id, heard.wishes) if turn.use_memory else frozenset[str]()
    known: dict[str, Any] = {}
    if turn.use_memory or turn.use_persona:
        known = {found.key: found.value for found in preferences.listing(session, user_id)}
    known |= {wish.key: wish.value for wish in heard.wishes}
    if not turn.use_persona:
        return Asker(known, None, learned)
    account = preferences.persona_settings(session, user_id)
    layers = (getattr(agent, "persona", None), account, known, turn.persona)
    return Asker(known, persona.combined(*layers), learned)


def _history(session: Session, turn: Turn) -> tuple[Said, ...]:
    settings = get_settings()
    summary, exchanges = conversations.unsummarised(session, turn.conversation_id, turn.turn_id)
    return memory.recall(summary, exchanges, settings.history_tokens, settings.summary_tokens).history()


def _noticed(heard: Heard, learned: frozenset[str]) -> list[Mapping[str, Any]]:
    return [
        {"key": wish.key, "value": wish.value, "confidence": wish.confidence, "learned": wish.key in learned}
        for wish in heard.wishes
    ]
