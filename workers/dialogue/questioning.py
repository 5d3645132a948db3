"""One question of an evaluation, asked as a turn asks it, without a conversation, a cache or a listener."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid4

from pipelines.evaluation.judging import DEPTH, Outcome, judged
from pipelines.ports.models import ChatModel, Usage
from pipelines.stores.turns import circumstances
from pipelines.turn.checking import citations
from pipelines.turn.generating import generate as generation
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn, TurnStage
from schemas.tables.evaluation import Evaluation, EvaluationQuestion
from workers import wiring
from workers.dialogue import asking, finding
from workers.spending import budget


def ask(evaluation: Evaluation, question: EvaluationQuestion, configuration: Mapping[str, Any]) -> Outcome:
    """Return what came of the question in the configuration. Raises what a turn would end with."""
    turn = _turn(evaluation, question.question, configuration)
    settings = get_settings()
    count = configuration.get("match_count") or settings.match_count
    threshold = configuration.get("threshold")
    started = time.perf_counter()
    about = circumstances.read(turn.tenant_id, turn.assistant_key)
    ground = finding.ground(turn, max(count, DEPTH), configuration.get("dense_weight"), about)
    passages = tuple(ground.passages[:count])
    turn.confidence = ground.confidence
    prompt = asking.asked(turn, about, passages).prompt
    if threshold is not None:
        prompt = replace(prompt, confident=ground.confidence >= threshold)
    text, usage = _answer(evaluation, configuration.get("chat_provider"), prompt)
    cleaned, cited = citations.cite(text, passages)
    return judged(
        cleaned,
        cited,
        question.answers,
        question.source,
        ground.passages,
        confidence=float(ground.confidence),
        latency_ms=round(1000 * (time.perf_counter() - started), 1),
        cost_usd=float(usage.cost_usd),
        model=usage.model,
    )


def _answer(evaluation: Evaluation, provider: str | None, prompt: Any) -> tuple[str, Usage]:
    model = chat_model(evaluation.tenant_id, provider)
    said: list[str] = []
    usage = Usage(model.name, model.model)
    with budget.chat(evaluation.tenant_id, model, prompt, evaluation.evaluation_id) as call:
        call.said = said
        for piece in generation.generate(model, prompt, lambda: False):
            match piece:
                case generation.Token(text):
                    said.append(text)
                case Usage():
                    usage = piece
        call.spent = budget.spent_on(usage)
    return "".join(said), usage


def chat_model(tenant_id: UUID, provider: str | None) -> ChatModel:
    """Return what writes the answers: the tenant's own, or the deployment's of this name. Raises NotOffered."""
    if provider is None:
        return wiring.chat_model(tenant_id)
    settings = get_settings().model_copy(update={"chat_provider": provider, "chat_model": ""})
    return cast(ChatModel, wiring.MAKERS["chat"](settings))


def _turn(evaluation: Evaluation, question: str, configuration: Mapping[str, Any]) -> Turn:
    """Return a turn that no row is made of."""
    return Turn(
        tenant_id=evaluation.tenant_id,
        turn_id=uuid4(),
        conversation_id=uuid4(),
        assistant_key=configuration["assistant_key"],
        spoken=False,
        use_memory=False,
        use_persona=True,
        search_knowledge=True,
        filters={},
        question=question,
        stage=TurnStage.GENERATE,
        attempts=1,
        passages=[],
        timings={},
    )
