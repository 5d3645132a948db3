"""A turn's question as it reads without the conversation before it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import lru_cache

import structlog

from pipelines.ports.models import Said
from pipelines.stores.database import tenant_session
from pipelines.stores.turns import turns
from pipelines.turn.finding import rewrite
from schemas.errors.tree import AuraError
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn
from workers import wiring
from workers.spending import budget

REMEMBERED = 6
"""Messages that a model is shown; rules read the last two."""

WAITING = 8

log = structlog.get_logger()


def standalone(turn: Turn) -> str | None:
    """Return the question with what it leans on, or None where it stands alone or memory is not wanted."""
    question, how = turn.question or "", get_settings().rewrite_questions
    if how == "off" or not turn.use_memory or not rewrite.leans(question):
        return None
    with tenant_session(turn.tenant_id, durable=False) as session:
        history = turns.history_as_asked(session, turn, REMEMBERED)
    by_rules = rewrite.standalone(question, history)
    if how == "model" and history:
        return _by_model(turn, question, history) or by_rules
    return by_rules


def _by_model(turn: Turn, question: str, history: Sequence[Said]) -> str | None:
    """Return what the chat model makes of it; None where there is none, or it fails, or takes too long."""
    limit_s = get_settings().rewrite_timeout_s
    try:
        if wiring.chat_model(turn.tenant_id).name == "local":
            return None
        return rewrite.accepted(_pool().submit(_written, turn, question, history).result(limit_s), question)
    except TooLate:
        log.warning("question not rewritten by the model", detail=f"It took longer than {limit_s:g} s.")
    except AuraError as error:
        log.warning("question not rewritten by the model", code=error.code, detail=error.detail)
    return None


def _written(turn: Turn, question: str, history: Sequence[Said]) -> str:
    model, asked = wiring.chat_model(turn.tenant_id), rewrite.prompt(question, history)
    said: list[str] = []
    with budget.chat(turn.tenant_id, model, asked, turn.turn_id) as call:
        call.said = said
        for piece in model.answer(asked):
            if isinstance(piece, str):
                said.append(piece)
            else:
                call.spent = budget.spent_on(piece)
    return "".join(said)


@lru_cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WAITING, "rewrite")
