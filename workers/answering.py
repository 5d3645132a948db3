"""Where a turn's answer comes from: what was kept, else the model that the router names, else the next one.

A model that fails before its first word is followed by the next; after it nothing is repeated: the listener has
heard it. Each request holds its own part of the budget and settles or gives it back by itself.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Any

import structlog

from pipelines.ports import Delta, Prompt, Usage
from pipelines.stores.answers import Standing
from pipelines.stores.database import TenantSession
from pipelines.turn import routing
from pipelines.turn.racing import LOOK_EVERY_S
from pipelines.turn.routing import Candidate, Plan, Policy
from schemas.dialogue import Turn
from schemas.errors import (
    AnswerCutShort,
    AuraError,
    BudgetExceeded,
    Cancelled,
    InvalidRequest,
    NotOffered,
    ProviderUnavailable,
    RateLimited,
)
from schemas.settings import get_settings
from workers import attempts, budget, caching, circuits
from workers.attempts import Attempt
from workers.caching import Hit
from workers.circuits import Known

FAILS_OVER = (ProviderUnavailable, RateLimited, NotOffered, InvalidRequest, BudgetExceeded)
"""After these the next model may do better."""

LEAST_S = 5.0
"""What is left at least for the composer after others have used up the time."""

BROKE_OFF = " I am sorry, my answer broke off here. Please ask again."
"""What a listener hears, who would else be left with half an answer."""

AT_ITS_LIMIT = " […]"

log = structlog.get_logger()


class Answer:
    """The answer of one turn in the making; to `generate` it is the model that writes it.

    `route` says who was asked and why, `hit` what was kept, `whole` whether the answer came to its end.
    """

    name = "none"
    model = "none"

    def __init__(self, turn: Turn, standing: Standing | None, cancelled: Callable[[], bool]) -> None:
        self.hit: Hit | None = None
        self.route: dict[str, Any] = {}
        self.whole = True
        self._turn, self._cancelled = turn, cancelled
        self._policy = caching.policy_of(standing) if standing else Policy()
        self._said: list[str] = []
        self._attempts: list[dict[str, Any]] = []
        self._errors: list[AuraError] = []
        self._speaker: Attempt | None = None
        self._broken: AuraError | None = None
        self._deadline = time.monotonic() + get_settings().provider_answer_s

    def answer(self, prompt: Prompt) -> Iterator[Delta]:
        """Yield the answer and its `Usage`. Raises Cancelled, AnswerCutShort, or what the first model asked raised."""
        if (pair := _verbatim(prompt)) is not None:
            self.route = {"provider": "local", "model": "training pair", "reason": "it asks for a training pair"}
            yield pair
            yield Usage("local", "training pair")
            return
        self.hit = caching.found(self._turn)
        if self.hit is not None:
            yield self.hit.kept.answer
            yield Usage(self.hit.kept.provider, self.hit.kept.model)
            return
        known, plan = self._planned(prompt)
        first = self._first(prompt, known, plan)
        yield from self._rest(first)

    def settle(self, session: TenantSession, used: Usage) -> None:
        """Settle the call that answered in the transaction that keeps the answer."""
        if self._speaker is not None:
            self._speaker.call.spent = self._speaker.call.spent or budget.spent_on(used)
            self._speaker.call.settle(session)

    def found(self, turn: Turn) -> dict[str, Any] | None:
        """Return what a kept answer brings to the turn beside its text; None where a model answered."""
        if self.hit is None:
            return None
        kept = self.hit.kept
        return {
            "answer": kept.answer,
            "citations": kept.citations,
            "passages": kept.passages,
            "confidence": kept.confidence,
            "cache": self.hit.noted(turn),
        }

    def end(self, error: BaseException | None) -> None:
        """Close what is still open. An answer that broke off counts as the provider's failure, however it is told."""
        if self._speaker is not None:
            self._speaker.end(self._broken or error)

    def _planned(self, prompt: Prompt) -> tuple[dict[Candidate, Known], Plan]:
        turn = self._turn
        known = circuits.known(turn.tenant_id, budget.input_tokens(prompt))
        plan = routing.plan([one.candidate for one in known], prompt.question, prompt.spoken, self._policy)
        self.route = {"rule": plan.rule, "reason": plan.reason, "attempts": self._attempts}
        return {one.candidate: one for one in known}, plan

    def _first(self, prompt: Prompt, known: dict[Candidate, Known], plan: Plan) -> Delta:
        """Ask one model after the other until one speaks, and return what it says first."""
        waiting, running = deque(plan.order), list[Attempt]()
        second_at: float | None = None
        try:
            while True:
                if self._cancelled():
                    raise Cancelled
                due = second_at is not None and time.monotonic() >= second_at
                if not running or due:
                    self._ask_next(prompt, known, waiting, running)
                    second_at = attempts.second_at(running, waiting, plan)
                for attempt in tuple(running):
                    piece = self._heard(attempt, running, second_at)
                    if piece is not None:
                        self._speaks(attempt, running, tuple(known))
                        return piece
        except BaseException as error:
            for attempt in running:
                attempt.end(error)
            raise

    def _ask_next(
        self, prompt: Prompt, known: dict[Candidate, Known], waiting: deque[Candidate], running: list[Attempt]
    ) -> None:
        """Ask the next model that may be asked. Raises the first error where nobody is left."""
        while waiting:
            one, left_s = known[waiting.popleft()], self._deadline - time.monotonic()
            if not self._may_ask(one, left_s):
                continue
            try:
                running.append(Attempt(self._turn, one, prompt, max(left_s, LEAST_S)))
            except FAILS_OVER as error:
                self._failed(one, error)
                self._attempts.append({**one.candidate.named, "outcome": error.code, "ms": 0.0})
                continue
            return
        if not running:
            raise self._errors[0] if self._errors else attempts.nobody(known)

    def _may_ask(self, one: Known, left_s: float) -> bool:
        """Return whether a model is to be asked: what runs here stands in for failures, not for a used-up budget."""
        if one.candidate.local:
            return not any(isinstance(error, BudgetExceeded) for error in self._errors)
        return left_s > 0 and circuits.may_call(one)

    def _heard(self, attempt: Attempt, running: list[Attempt], second_at: float | None) -> Delta | None:
        wait_s = LOOK_EVERY_S if len(running) == 1 else LOOK_EVERY_S / 10
        if second_at is not None:
            wait_s = min(wait_s, max(0.0, second_at - time.monotonic()))
        try:
            piece = attempt.speaking.next(wait_s)
            if isinstance(piece, Usage):
                raise ProviderUnavailable(f"{attempt.known.candidate.provider} answered nothing.")
            return piece
        except FAILS_OVER as error:
            running.remove(attempt)
            attempt.end(error)
            self._failed(attempt.known, error)
            self._attempts.append(attempt.row(error.code))
            return None

    def _failed(self, one: Known, error: AuraError) -> None:
        self._errors.append(error)
        circuits.failed(one, error)
        log.info("no answer from a provider", provider=one.candidate.provider, code=error.code, detail=error.detail)

    def _speaks(self, attempt: Attempt, running: list[Attempt], known: Sequence[Candidate]) -> None:
        """Take the answer of the one that speaks first; the others are closed and paid for."""
        running.remove(attempt)
        for other in tuple(running):
            running.remove(other)
            other.end(Cancelled())
            circuits.ended(other.known)
            self._attempts.append(other.row("lost"))
        self._speaker = attempt
        attempt.call.said = self._said
        self._attempts.append(attempt.row("answered"))
        circuits.spoke(attempt.known, attempt.speaking.first_token_ms or 0.0)
        one = attempt.known.candidate
        self.route |= {**one.named, "fallback": routing.stands_in(one, known, self._policy)}
        self.whole = not self.route["fallback"]

    def _rest(self, first: Delta) -> Iterator[Delta]:
        """Yield the answer from its first piece on. One that breaks off is said to be so."""
        piece: Delta | None = first
        try:
            while True:
                if isinstance(piece, Usage):
                    self._attempt.call.spent = budget.spent_on(piece)
                    if not piece.complete:
                        self._cut()
                        yield AT_ITS_LIMIT
                    yield piece
                    return
                if piece is not None:
                    self._said.append(piece)
                    yield piece
                if self._cancelled():
                    raise Cancelled
                piece = self._attempt.speaking.next()
        except FAILS_OVER as error:
            self._cut()
            self._broken = error
            log.warning("answer broke off", code=error.code, detail=error.detail)
            if not self._turn.spoken:
                raise AnswerCutShort(f"{error.detail} What had come of it is kept.", said=self.said) from error
            yield BROKE_OFF
            yield self._so_far()

    def _cut(self) -> None:
        self.route["cut_short"] = True
        self.whole = False

    def _so_far(self) -> Usage:
        """Return what a broken answer has cost."""
        one, spent = self._attempt.known.candidate, self._attempt.call.so_far()
        if spent is None:
            return Usage(one.provider, one.model, complete=False)
        return Usage(one.provider, one.model, spent.input_tokens, spent.output_tokens, spent.cost_usd, complete=False)

    @property
    def _attempt(self) -> Attempt:
        assert self._speaker is not None
        return self._speaker

    @property
    def said(self) -> str:
        """Return what of the answer has come."""
        return "".join(self._said)


@contextmanager
def answering(turn: Turn, standing: Standing | None, cancelled: Callable[[], bool]) -> Iterator[Answer]:
    """Answer a turn; what is held for it is settled, or given back, however the block ends."""
    answer = Answer(turn, standing, cancelled)
    try:
        yield answer
    except BaseException as error:
        answer.end(error)
        if isinstance(error, AuraError):
            error.facts["route"] = answer.route
        raise
    answer.end(None)


def _verbatim(prompt: Prompt) -> str | None:
    """Return the response of the training pair that is asked for word for word, with its marker."""
    # To become an import once the module is there.
    if find_spec("pipelines.turn.verbatim") is None:
        return None
    found: tuple[str, int] | None = resolve_name("pipelines.turn.verbatim:verbatim")(prompt.question, prompt.passages)
    return found[0] if found else None
