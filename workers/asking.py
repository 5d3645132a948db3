"""What a turn's model is asked: the assistant's instructions, what was said before, and the passages."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from pipelines.ports import Passage, Prompt
from pipelines.stores import turns
from pipelines.turn import prompt
from schemas.dialogue import Turn
from schemas.settings import get_settings


def prompt_for(session: Session, turn: Turn, passages: Sequence[Passage]) -> Prompt:
    """Return all that the turn's answer is made from. Raises UnknownAssistant."""
    agent = turns.agent(session, turn.assistant_key)
    return prompt.build(
        question=turn.standalone or turn.question or "",
        passages=passages,
        agent_name=agent.name,
        agent_instructions=agent.instructions,
        history=turns.history(session, turn) if turn.use_memory else (),
        spoken=turn.spoken,
        confidence=turn.confidence or 0.0,
        threshold=get_settings().match_threshold,
    )
