"""transcribe → retrieve → generate ⇒ synthesize, one task a sentence while generate still runs."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from pipelines.ports.models import Usage
from pipelines.stores.database import driver_of, tenant_pipeline, tenant_session
from pipelines.stores.knowledge import unanswered
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turn_steps, turns, utterances
from pipelines.turn.checking import citations
from pipelines.turn.generating import generate as generation
from schemas.errors.providers import AnswerCutShort, NotHeard
from schemas.errors.tree import Permanent, Transient
from schemas.errors.work import Cancelled, LeaseLost
from schemas.events import EventName
from schemas.tables.dialogue import Turn, TurnStage, TurnStatus
from workers import announce, send
from workers.app import app
from workers.dialogue import answering, caching, grounding, speaking, turning
from workers.dialogue.asking import asked
from workers.dialogue.tokens import Tokens
from workers.dialogue.turning import Taken
from workers.dialogue.waterfall import Clock
from workers.speech import voices

NOTHING: Mapping[str, Any] = {"passages": [], "confidence": 0.0, "cache": dict(caching.NOT_CACHED)}
"""What is found where nothing is stored. The cache keeps grounded answers only."""

NOTHING_TOLD: Mapping[str, Any] = {"confidence": 0.0, "sources": []}


@app.task(name="workers.turn.transcribe")
def transcribe(tenant_id: str, turn_id: str) -> None:
    """Turn the utterance into the question."""
    _run(UUID(tenant_id), UUID(turn_id), TurnStage.TRANSCRIBE, _transcribe)


@app.task(name="workers.turn.retrieve")
def retrieve(tenant_id: str, turn_id: str) -> None:
    """Find the passages that the answer is to be grounded in."""
    _run(UUID(tenant_id), UUID(turn_id), TurnStage.RETRIEVE, _retrieve)


@app.task(name="workers.turn.generate")
def generate(tenant_id: str, turn_id: str) -> None:
    """Write the answer, sending each finished sentence to be spoken."""
    _run(UUID(tenant_id), UUID(turn_id), TurnStage.GENERATE, _generate)


@app.task(name="workers.turn.synthesize")
def synthesize(tenant_id: str, turn_id: str, seq: int) -> None:
    """Speak one sentence; whoever speaks the last one completes the turn."""
    speaking.sentence(UUID(tenant_id), UUID(turn_id), seq)


def _run(tenant_id: UUID, turn_id: UUID, stage: TurnStage, work: Callable[[Taken, Clock], None]) -> None:
    """Claim the step, do the work; an error ends the turn with a reason."""
    try:
        taken = turning.take(tenant_id, turn_id, stage)
        if taken is None:
            return
        turn = taken.turn
        with turning.held(tenant_id, lambda driver: turn_steps.renew(driver, turn, turning.LEASE_S)):
            work(taken, Clock(turn))
    except LeaseLost:
        return
    except Cancelled as error:
        turning.end(tenant_id, turn_id, TurnStatus.CANCELLED, error)
    except (Permanent, Transient) as error:
        turning.end(tenant_id, turn_id, TurnStatus.FAILED, error)


def _transcribe(taken: Taken, clock: Clock) -> None:
    turn = taken.turn
    audio = utterances.get(get_redis(), turn.tenant_id, turn.turn_id)
    if audio is None:
        raise NotHeard("What was said is kept for five minutes only and is gone. Please say it again.")
    asking = (turn.tenant_id, audio, turn.language, turn.turn_id)
    with voices.transcription(*asking, cancelled=turning.cancelled(turn)) as heard:
        transcript, confidence = heard.transcript, round(heard.transcript.confidence, 3)
        told = {"text": transcript.text, "language": transcript.language, "confidence": confidence}
        # Where nothing is stored nothing is looked for: that step is passed over.
        following, nothing = (TurnStage.RETRIEVE, {}) if taken.knows else (TurnStage.GENERATE, NOTHING)
        turning.hand_on(
            turn,
            following,
            {"transcribe": clock.stage(turn.enqueued_at) | heard.named},
            {EventName.TURN_TRANSCRIPT: told, **({} if taken.knows else {EventName.TURN_RETRIEVED: NOTHING_TOLD})},
            heard.call,
            question=transcript.text,
            language=transcript.language,
            transcript_confidence=confidence,
            **nothing,
        )


def _retrieve(taken: Taken, clock: Clock) -> None:
    turn = taken.turn
    if not turn.cache:
        # Asked by voice: its words are known only now.
        known = caching.asked(turn, asked(turn, taken.about, ()), taken.about.standing)
        turn.cache = vars(known) if known else dict(caching.NOT_CACHED)
    ground = grounding.ground(turn, taken.about)
    told = {"confidence": round(ground.confidence, 3), "sources": turns.sources(ground.passages)}
    turning.hand_on(
        turn,
        TurnStage.GENERATE,
        {"retrieve": clock.stage(turn.enqueued_at)},
        {EventName.TURN_RETRIEVED: told},
        passages=turns.packed(ground.passages),
        confidence=ground.confidence,
        standalone=ground.standalone,
        cache=turn.cache,
    )


def _generate(taken: Taken, clock: Clock) -> None:
    turn, passages = taken.turn, turns.unpacked(taken.turn.passages)
    if turn.attempts > 1:
        with tenant_pipeline(turn.tenant_id, durable=False) as driver:
            turn_steps.unsay(driver, turn)
    asking = asked(turn, taken.about, passages)
    firsts: dict[str, float] = {}
    cancelled = turning.cancelled(turn)
    with answering.answering(taken, cancelled) as answer:
        said, usage = _write(turn, generation.generate(answer, asking.prompt, cancelled), clock, firsts)
        found = answer.found() or dict(zip(("answer", "citations"), citations.cite(said, passages), strict=True))
        _answer(turn, clock, {**asking.kept, **found}, usage, firsts, answer)
    if answer.hit is None and answer.whole:
        caching.keep(turn, asking.prompt, found, clock.since_start_ms())


def _write(turn: Turn, pieces: Iterator[generation.Piece], clock: Clock, firsts: dict[str, float]) -> tuple[str, Usage]:
    """Tell an answer as it is written, and have it spoken; return all of it, and what it cost."""
    said: list[str] = []
    usage = Usage("none", "none")
    tokens = Tokens(turn)
    try:
        for piece in pieces:
            match piece:
                case generation.Token(text):
                    if text:
                        firsts.setdefault("first_token_ms", clock.since_start_ms())
                    said.append(text)
                    announce.many(tokens.due(text))
                case generation.Sentence(seq, text):
                    _say(turn, seq, text)
                    announce.many([*tokens.rest(), announce.of_turn(EventName.TURN_SENTENCE, turn, seq=seq, text=text)])
                case Usage():
                    usage = piece
    except AnswerCutShort:
        announce.many(tokens.rest())
        raise
    announce.many(tokens.rest())
    return "".join(said), usage


def _say(turn: Turn, seq: int, text: str) -> None:
    """Have a finished sentence spoken, where the answer is. Raises LeaseLost."""
    if turn.spoken:
        with tenant_pipeline(turn.tenant_id, durable=False) as driver:
            queued = turn_steps.say(driver, turn, seq, text)
        if queued.fetchone() is None:
            raise LeaseLost
        send.sentence(turn.tenant_id, turn.turn_id, seq)


def _answer(
    turn: Turn,
    clock: Clock,
    found: Mapping[str, Any],
    usage: Usage,
    firsts: Mapping[str, float],
    answer: answering.Answer,
) -> None:
    """Keep the answer, with what it cost, and complete the turn unless it is still spoken."""
    with tenant_session(turn.tenant_id) as session:
        driver = driver_of(session)
        confirmed = turn_steps.answer(
            driver,
            turn,
            {"generate": clock.stage(turn.enqueued_at), **firsts},
            provider=usage.provider,
            model=usage.model,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=usage.cost_usd,
            route=answer.route,
            **found,
        )
        if confirmed:
            unanswered.note(session, turn, found["answer"], found["citations"], turns.unpacked(turn.passages))
        answer.settle(session)
        tell_completed = turning.complete(driver, turn.tenant_id, turn.turn_id)
    tell_completed()
