"""transcribe → retrieve → generate ⇒ synthesize, one task a sentence while generate still runs."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from pipelines.ports import STT_RATE_HZ, Usage
from pipelines.stores import answers, cancellations, sentences, turns, unanswered, utterances
from pipelines.stores.database import tenant_session
from pipelines.stores.redis import get_redis
from pipelines.turn import citations
from pipelines.turn import generate as generation
from pipelines.turn import transcribe as recognition
from schemas.dialogue import Turn, TurnStage, TurnStatus
from schemas.errors import Cancelled, LeaseLost, NoSpeech, Permanent, Transient
from schemas.events import EventName
from workers import announce, answering, asking, budget, caching, grounding, send, speaking, turning, wiring
from workers.app import app
from workers.waterfall import Clock


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


def _run(tenant_id: UUID, turn_id: UUID, stage: TurnStage, work: Callable[[Turn, Clock], None]) -> None:
    """Claim the step, do the work; an error ends the turn with a reason."""
    turn = None
    try:
        with tenant_session(tenant_id, durable=False) as session:
            turn = turns.claim(session, turn_id, stage, turning.LEASE_S)
        if turn is None:
            return
        if cancellations.requested(get_redis(), tenant_id, turn_id):
            raise Cancelled
        claimed = turn
        with turning.held(tenant_id, lambda session: turns.renew(session, claimed, turning.LEASE_S)):
            work(turn, Clock(turn))
    except LeaseLost:
        return
    except Cancelled as error:
        turning.end(tenant_id, turn_id, TurnStatus.CANCELLED, error)
    except (Permanent, Transient) as error:
        turning.end(tenant_id, turn_id, TurnStatus.FAILED, error)


def _transcribe(turn: Turn, clock: Clock) -> None:
    audio = utterances.get(get_redis(), turn.tenant_id, turn.turn_id)
    if audio is None:
        raise NoSpeech("What was said is kept for five minutes only and is gone. Please say it again.")
    transcriber = wiring.transcriber(turn.tenant_id)
    seconds = len(audio) / 2 / STT_RATE_HZ
    with budget.transcription(turn.tenant_id, transcriber, seconds, turn.turn_id) as call:
        transcript = recognition.transcribe(transcriber, audio, turn.language)
        call.spent = call.expected
        with tenant_session(turn.tenant_id, durable=False) as session:
            turns.advance(
                session,
                turn,
                TurnStage.RETRIEVE,
                {"transcribe": clock.stage(turn.enqueued_at)},
                question=transcript.text,
                language=transcript.language,
            )
            # A free one is written down when the next step is under way: somebody waits.
            if call.is_held:
                call.settle(session)
            told = announce.of_turn(
                EventName.TURN_TRANSCRIPT,
                turn,
                text=transcript.text,
                language=transcript.language,
                confidence=round(transcript.confidence, 3),
            )
            tell = announce.owe(session, turn.tenant_id, [told])
        send.turn(turn.tenant_id, turn.turn_id, TurnStage.RETRIEVE)
        tell()


def _retrieve(turn: Turn, clock: Clock) -> None:
    if not turn.cache:
        # Asked by voice: its words are known only now.
        with tenant_session(turn.tenant_id, durable=False) as session:
            asked = caching.asked(session, turn)
        turn.cache = vars(asked) if asked else dict(caching.NOT_CACHED)
    ground = grounding.ground(turn)
    with tenant_session(turn.tenant_id, durable=False) as session:
        turns.advance(
            session,
            turn,
            TurnStage.GENERATE,
            {"retrieve": clock.stage(turn.enqueued_at)},
            passages=turns.packed(ground.passages),
            confidence=ground.confidence,
            standalone=ground.standalone,
            cache=turn.cache,
        )
    send.turn(turn.tenant_id, turn.turn_id, TurnStage.GENERATE)
    turning.tell(
        EventName.TURN_RETRIEVED,
        turn,
        confidence=round(ground.confidence, 3),
        sources=turns.sources(ground.passages),
    )


def _generate(turn: Turn, clock: Clock) -> None:
    passages = turns.unpacked(turn.passages)
    with tenant_session(turn.tenant_id, durable=False) as session:
        asked = asking.prompt_for(session, turn, passages)
        standing = answers.standing(session, turn.tenant_id, turn.assistant_key)
        if turn.attempts > 1:
            sentences.clear(session, turn)
    turning.tell(EventName.TURN_STARTED, turn, attempt=turn.attempts)
    said: list[str] = []
    usage = Usage("none", "none")
    firsts: dict[str, float] = {}
    cancelled = turning.cancelled(turn)
    with answering.answering(turn, standing, cancelled) as answer:
        for piece in generation.generate(answer, asked, cancelled):
            match piece:
                case generation.Token(text):
                    firsts.setdefault("first_token_ms", clock.since_start_ms())
                    said.append(text)
                    turning.tell(EventName.TURN_TOKEN, turn, text=text)
                case generation.Sentence(seq, text):
                    _say(turn, seq, text)
                case Usage():
                    usage = piece
        found = answer.found() or dict(
            zip(("answer", "citations"), citations.cite("".join(said), passages), strict=True)
        )
        _answer(turn, clock, found, usage, firsts, answer)
    turning.complete(turn)
    if answer.hit is None and answer.whole:
        caching.keep(turn, asked, found, clock.since_start_ms())


def _say(turn: Turn, seq: int, text: str) -> None:
    """Tell a finished sentence and, where the answer is spoken, have it spoken."""
    if turn.spoken:
        with tenant_session(turn.tenant_id, durable=False) as session:
            sentences.add(session, turn, seq, text)
        send.sentence(turn.tenant_id, turn.turn_id, seq)
    turning.tell(EventName.TURN_SENTENCE, turn, seq=seq, text=text)


def _answer(
    turn: Turn,
    clock: Clock,
    found: Mapping[str, Any],
    usage: Usage,
    firsts: Mapping[str, float],
    answer: answering.Answer,
) -> None:
    with tenant_session(turn.tenant_id) as session:
        turns.answer(
            session,
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
        unanswered.note(session, turn, found["answer"], found["citations"], turns.unpacked(turn.passages))
        answer.settle(session)
