"""Asking one model after the other until one speaks; each request holds its own part of the budget."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any

import structlog

from pipelines.ports.models import Delta, Prompt, Usage
from pipelines.turn.generating.racing import LOOK_EVERY_S, Limits, Speaking
from pipelines.turn.generating.routing import Candidate, Plan
from schemas.errors.callers import BudgetExceeded
from schemas.errors.providers import ProviderUnavailable, RateLimited
from schemas.errors.requests import InvalidRequest, NotOffered
from schemas.errors.tree import AuraError
from schemas.errors.work import Cancelled
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn
from workers import wiring
from workers.spending import budget, circuits
from workers.spending.circuits import Known

FAILS_OVER = (ProviderUnavailable, RateLimited, NotOffered, InvalidRequest, BudgetExceeded)
"""After these the next model may do better."""

TRY_PATIENCE_MS = 1_500.0
"""Who tries whether a provider works again does not wait for it as long as for one that is known to work."""

LEAST_S = 5.0
"""What is left at least for the composer after others have used up the time."""

log = structlog.get_logger()


class Attempt:
    """One request to one model: what is held for it, and the answer on its way."""

    def __init__(self, turn: Turn, known: Known, prompt: Prompt, left_s: float) -> None:
        """Ask. Raises what keeps the question from being sent, BudgetExceeded among it."""
        self.known, self._began = known, time.monotonic()
        settings, self._stack = get_settings(), ExitStack()
        model = wiring.chat_model(turn.tenant_id, known.candidate.provider)
        self.call = self._stack.enter_context(budget.chat(turn.tenant_id, model, prompt, turn.turn_id))
        limits = Limits(settings.provider_first_token_s, settings.provider_timeout_s, left_s)
        self.speaking = Speaking(model, prompt, limits)

    def end(self, error: BaseException | None) -> None:
        """Close the call and settle it, or give back what is held where `error` says that nothing came of it."""
        self.speaking.close()
        with suppress(AuraError):
            self._stack.__exit__(type(error) if error else None, error, None)

    def row(self, outcome: str) -> dict[str, Any]:
        """Return the attempt as the turn's route shows it."""
        ms = round((time.monotonic() - self._began) * 1e3, 1)
        return {**self.known.candidate.named, "outcome": outcome, "ms": ms}


class Race:
    """The models that a turn's prompt is put to, by a plan. `rows` says who was asked and how that ended."""

    def __init__(self, turn: Turn, prompt: Prompt, known: Mapping[Candidate, Known], plan: Plan) -> None:
        self.rows: list[dict[str, Any]] = []
        self._turn, self._prompt, self._known, self._plan = turn, prompt, known, plan
        self._waiting, self._running = deque(plan.order), list[Attempt]()
        self._errors: list[AuraError] = []
        self._deadline = time.monotonic() + get_settings().provider_answer_s

    def ask(self) -> None:
        """Ask the first model, so that something else can be done while it reads; `first` does it otherwise."""
        self._ask_next()

    def first(self, cancelled: Callable[[], bool]) -> tuple[Attempt, str]:
        """Return the request that speaks first, and what it says. The others are closed, and paid where they ran.

        Raises Cancelled, or where nobody answers the error of the first that was asked.
        """
        second_at = self._second_at()
        try:
            while True:
                if cancelled():
                    raise Cancelled
                if not self._running or (second_at is not None and time.monotonic() >= second_at):
                    self._ask_next()
                    second_at = self._second_at()
                for attempt in tuple(self._running):
                    piece = self._heard(attempt, second_at)
                    if piece is not None:
                        self._won(attempt)
                        return attempt, piece
        except BaseException as error:
            for attempt in self._running:
                attempt.end(error)
                circuits.ended(attempt.known)
            raise

    def _ask_next(self) -> None:
        while self._waiting:
            one, left_s = self._known[self._waiting.popleft()], self._deadline - time.monotonic()
            if not self._may_ask(one, left_s):
                continue
            try:
                self._running.append(Attempt(self._turn, one, self._prompt, max(left_s, LEAST_S)))
            except FAILS_OVER as error:
                self._failed(one, error, {**one.candidate.named, "outcome": error.code, "ms": 0.0})
                continue
            return
        if not self._running:
            raise self._errors[0] if self._errors else self._nobody()

    def _may_ask(self, one: Known, left_s: float) -> bool:
        """Return whether a model is to be asked: what runs here stands in for failures, not for a used-up budget."""
        if one.candidate.local:
            return not any(isinstance(error, BudgetExceeded) for error in self._errors)
        return left_s > 0 and circuits.may_call(one)

    def _second_at(self) -> float | None:
        """Return when another model is asked though the one that runs has not failed; None for never."""
        if len(self._running) != 1 or not self._waiting or self._waiting[0].local:
            return None
        tries = self._running[0].known.candidate.state == "half_open"
        patience_ms = TRY_PATIENCE_MS if tries else self._plan.hedge_after_ms
        return None if patience_ms is None else time.monotonic() + patience_ms / 1e3

    def _heard(self, attempt: Attempt, second_at: float | None) -> str | None:
        wait_s = LOOK_EVERY_S if len(self._running) == 1 else LOOK_EVERY_S / 10
        if second_at is not None:
            wait_s = min(wait_s, max(0.0, second_at - time.monotonic()))
        try:
            piece: Delta | None = attempt.speaking.next(wait_s)
            if isinstance(piece, Usage):
                raise ProviderUnavailable(f"{piece.provider} answered nothing.")
            return piece
        except FAILS_OVER as error:
            self._running.remove(attempt)
            attempt.end(error)
            self._failed(attempt.known, error, attempt.row(error.code))
            return None

    def _failed(self, one: Known, error: AuraError, row: dict[str, Any]) -> None:
        self._errors.append(error)
        self.rows.append(row)
        circuits.failed(one, error)
        log.info("no answer from a provider", provider=one.candidate.provider, code=error.code, detail=error.detail)

    def _won(self, attempt: Attempt) -> None:
        self._running.remove(attempt)
        for other in tuple(self._running):
            self._running.remove(other)
            other.end(Cancelled())
            circuits.lost(other.known)
            self.rows.append(other.row("lost"))
        self.rows.append(attempt.row("answered"))
        circuits.spoke(attempt.known, attempt.speaking.first_token_ms or 0.0)

    def _nobody(self) -> AuraError:
        """Return why nobody was asked."""
        if any(one.state != "closed" for one in self._known):
            return ProviderUnavailable("No provider of answers works at present. Try again in a moment.")
        return NotOffered("The policy of this assistant allows none of the providers that are set up.")
