"""Summaries of conversations that have grown: written after an answer, never in its way."""

from uuid import UUID

import structlog

from pipelines.ports.models import ChatModel, Prompt, Usage
from pipelines.stores.database import tenant_session
from pipelines.stores.dialogue import conversations
from pipelines.turn.prompting import memory
from schemas.errors.tree import AuraError
from schemas.settings import get_settings
from workers import wiring
from workers.app import app
from workers.spending import budget

EXTRACTIVE = "extractive"

log = structlog.get_logger()


@app.task(name="workers.memory.summarise")
def summarise(tenant_id: str, conversation_id: str) -> None:
    """Fold the older part of a conversation into its summary, until the rest is half of what a prompt carries.

    Half, so that this happens once in several turns. A task that is repeated, or late, finds nothing to do.
    Raises NotFound where the conversation was deleted meanwhile.
    """
    tenant, conversation = UUID(tenant_id), UUID(conversation_id)
    settings = get_settings()
    with tenant_session(tenant) as session:
        summary, exchanges = conversations.unsummarised(session, conversation)
    if sum(exchange.tokens for exchange in exchanges) <= settings.history_tokens:
        return
    older, _ = memory.split(exchanges, settings.history_tokens // 2)
    text, made_by = memory.folded(summary, older, settings.summary_tokens), EXTRACTIVE
    model = _writer(tenant)
    if model is not None:
        asked = memory.prompt(summary, older, settings.summary_tokens)
        text, made_by = _written(tenant, conversation, model, asked) or (text, made_by)
    about = {"turns": len(older), "tokens": memory.tokens(text), "made_by": made_by}
    with tenant_session(tenant) as session:
        conversations.keep(session, conversation)
        conversations.summarise(session, tenant, conversation, text, older[-1], **about)


def _writer(tenant_id: UUID) -> ChatModel | None:
    """Return the chat model that may write summaries; None where extracts are to do."""
    if not get_settings().summaries_by_model:
        return None
    try:
        model = wiring.chat_model(tenant_id)
    except AuraError:
        return None
    return None if model.name == "local" else model


def _written(tenant_id: UUID, conversation_id: UUID, model: ChatModel, asked: Prompt) -> tuple[str, str] | None:
    """Return the summary that the model writes, and its name; None where it cannot, or may not be paid for."""
    said: list[str] = []
    usage = Usage(model.name, "")
    try:
        with budget.chat(tenant_id, model, asked, conversation_id) as call:
            call.said = said
            for piece in model.answer(asked):
                if isinstance(piece, Usage):
                    usage = piece
                else:
                    said.append(piece)
            call.spent = budget.spent_on(usage)
    except AuraError as error:
        log.warning("summary not written by the model", code=error.code)
        return None
    text = "".join(said).replace("\x00", "").strip()
    return (text[: get_settings().summary_tokens * 6], usage.model) if text else None
