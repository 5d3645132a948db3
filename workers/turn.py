"""transcribe → retrieve → generate ⇒ synthesize, one task a sentence while generate still runs."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from pipelines.ports import STT_RATE_HZ, Speaker, Usage
from pipelines.stores import answers, cancellations, sentences, turns, utterances
from pipelines.stores.database import tenant_session
from pipelines.stores.redis import get_redis
from pipelines.turn import citations
from pipelines.turn import generate as generation
from pipelines.turn import synthesize as speech
from pipelines.turn import transcribe as recognition
from schemas.dialogue import Turn, TurnStage, TurnStatus
from schemas.errors import AuraError, Cancelled, LeaseLost, NoSpeech, Permanent, Transient
from schemas.events import EventName
from workers import announce, answering, asking, budget, caching, grounding, leases, send, wiring
from workers.app import app
from workers.waterfall import Clock

LEASE_S = 6.0
"""Somebody is waiting: work of a silent worker is given to another after this long."""

CANCEL_CHECK_S = 0.05


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
    tenant, turn = UUID(tenant_id), UUID(turn_id)
    with tenant_session(tenant, durable=False) as session:
        sentence = sentences.claim(session, turn, seq, LEASE_S)
        of = turns.get(session, turn)
        voice_id = turns.agent(session, of.assistant_key).voice_id
    if sentence is not None:
        started = Clock(of)
        status = TurnStatus.COMPLETED
        try:
            speaker = wiring.speaker(tenant)
            with (
                budget.speech(tenant, speaker, sentence.text, turn) as call,
                _held(tenant, lambda session: sentences.renew(session, sentence, LEASE_S)),
            ):
                seconds = _speak(speaker, of, seq, sentence.text, voice_id, started)
                call.spent = replace(call.expected, seconds=seconds)
        except AuraError as error:
            # The text has arrived; the answer goes on without this sentence's voice.
            status = TurnStatus.FAILED
            _tell(EventName.TURN_AUDIO, of, seq=seq, part=0, last=True, code=error.code, detail=error.detail)
        with tenant_session(tenant, durable=False) as session:
            sentences.finish(session, sentence, status)
            turns.add_timings(session, turn, {f"synthesize_{seq}": started.stage(sentence.enqueued_at)})
    _complete(of)


def _run(tenant_id: UUID, turn_id: UUID, stage: TurnStage, work: Callable[[Turn, Clock], None]) -> None:
    """Claim the step, do the work; an error ends the turn with a reason."""
    turn = None
    try:
        with tenant_session(tenant_id, durable=False) as session:
            turn = turns.claim(session, turn_id, stage, LEASE_S)
        if turn is None:
            return
        if cancellations.requested(get_redis(), tenant_id, turn_id):
            raise Cancelled
        claimed = turn
        with _held(tenant_id, lambda session: turns.renew(session, claimed, LEASE_S)):
            work(turn, Clock(turn))
    except LeaseLost:
        return
    except Cancelled as error:
        _end(tenant_id, turn_id, TurnStatus.CANCELLED, error)
    except (Permanent, Transient) as error:
        _end(tenant_id, turn_id, TurnStatus.FAILED, error)


def _transcribe(turn: Turn, clock: Clock) -> None:
    audio = utterances.get(get_redis(), turn.tenant_id, turn.turn_id)
    if audio is None:
        raise NoSpeech("What was said is kept for ten minutes only and is gone. Please say it again.")
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
            cache=turn.cache,
        )
    send.turn(turn.tenant_id, turn.turn_id, TurnStage.GENERATE)
    _tell(
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
    _tell(EventName.TURN_STARTED, turn, attempt=turn.attempts)
    said: list[str] = []
    usage = Usage("none", "none")
    firsts: dict[str, float] = {}
    cancelled = _cancelled(turn)
    with answering.answering(turn, standing, cancelled) as answer:
        for piece in generation.generate(answer, asked, cancelled):
            match piece:
                case generation.Token(text):
                    firsts.setdefault("first_token_ms", clock.since_start_ms())
                    said.append(text)
                    _tell(EventName.TURN_TOKEN, turn, text=text)
                case generation.Sentence(seq, text):
                    _say(turn, seq, text)
                case Usage():
                    usage = piece
        found = answer.found(turn) or dict(
            zip(("answer", "citations"), citations.cite("".join(said), passages), strict=True)
        )
        _answer(turn, clock, found, usage, firsts, answer)
    _complete(turn)
    if answer.hit is None and answer.whole:
        caching.keep(turn, asked, found, clock.since_start_ms())


def _say(turn: Turn, seq: int, text: str) -> None:
    """Tell a finished sentence and, where the answer is spoken, have it spoken."""
    if turn.spoken:
        with tenant_session(turn.tenant_id, durable=False) as session:
            sentences.add(session, turn, seq, text)
        send.sentence(turn.tenant_id, turn.turn_id, seq)
    _tell(EventName.TURN_SENTENCE, turn, seq=seq, text=text)


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
        answer.settle(session, usage)


def _speak(speaker: Speaker, turn: Turn, seq: int, text: str, voice_id: str | None, clock: Clock) -> float:
    """Publish a sentence's sound in pieces as they become ready; the last one says so. Return its seconds."""
    cancelled = _cancelled(turn)
    about = {"seq": seq, "sample_rate_hz": speaker.sample_rate_hz, "encoding": "pcm16"}
    part, spoken_bytes = 0, 0
    for part, frame in enumerate(speech.synthesize(speaker, text, voice_id)):
        if cancelled():
            raise Cancelled
        spoken_bytes += len(frame)
        if part == 0:
            with tenant_session(turn.tenant_id, durable=False) as session:
                turns.add_timings(session, turn.turn_id, {f"audio_{seq}_ms": clock.since_start_ms()})
        _tell(EventName.TURN_AUDIO, turn, **about, part=part, last=False, audio=base64.b64encode(frame).decode())
    _tell(EventName.TURN_AUDIO, turn, **about, part=part + 1, last=True, audio="")
    return spoken_bytes / 2 / speaker.sample_rate_hz


def _complete(turn: Turn) -> None:
    """End the turn if this was its last piece, and tell the whole answer."""
    with tenant_session(turn.tenant_id, durable=False) as session:
        ended = turns.complete(session, turn.turn_id)
        if ended is None:
            return
        told = announce.of_turn(EventName.TURN_COMPLETED, ended, **turns.as_answer(ended))
        tell = announce.owe(session, ended.tenant_id, [told])
    tell()


def _end(tenant_id: UUID, turn_id: UUID, status: TurnStatus, error: AuraError) -> None:
    with tenant_session(tenant_id) as session:
        ended = turns.end(session, turn_id, status, error)
        if ended is None:
            return
        # What was asked in vain, and what had come of an answer that broke off.
        ended.route = error.facts.get("route", {})
        ended.answer = error.facts.get("said")
        if status is TurnStatus.CANCELLED:
            told = announce.of_turn(EventName.TURN_CANCELLED, ended, reason=error.detail)
        else:
            told = announce.of_turn(EventName.TURN_FAILED, ended, code=error.code, detail=error.detail)
        tell = announce.owe(session, tenant_id, [told])
    tell()


def _tell(name: EventName, turn: Turn, **data: object) -> None:
    announce.turn(name, turn.tenant_id, turn.conversation_id, turn.turn_id, **data)


def _cancelled(turn: Turn) -> Callable[[], bool]:
    """Return a check of the turn's flag that asks Redis at most every 50 ms."""
    last = [0.0, False]

    def check() -> bool:
        now = time.monotonic()
        if now - last[0] > CANCEL_CHECK_S:
            last[:] = [now, cancellations.requested(get_redis(), turn.tenant_id, turn.turn_id)]
        return bool(last[1])

    return check


@contextmanager
def _held(tenant_id: UUID, renew: Callable[[Session], bool]) -> Iterator[None]:
    def renewed() -> bool:
        with tenant_session(tenant_id, durable=False) as session:
            return renew(session)

    with leases.kept(renewed, LEASE_S / 3):
        yield
