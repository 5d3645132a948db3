"""One request to one model: what is held for it, the answer on its way, and how it ended."""

import time
from collections import deque
from contextlib import ExitStack, suppress
from typing import Any

from pipelines.ports import Prompt
from pipelines.turn.racing import Limits, Speaking
from pipelines.turn.routing import Candidate, Plan
from schemas.dialogue import Turn
from schemas.errors import AuraError, NotOffered, ProviderUnavailable
from schemas.settings import get_settings
from workers import budget, wiring
from workers.circuits import Known

TRY_PATIENCE_MS = 1_500.0
"""Who tries whether a provider works again does not wait for it as long as for one that is known to work."""


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
        one = self.known.candidate
        return {**one.named, "outcome": outcome, "ms": ms}


def second_at(running: list[Attempt], waiting: deque[Candidate], plan: Plan) -> float | None:
    """Return when another model is asked though the one that runs has not failed; None for never."""
    if len(running) != 1 or not waiting or waiting[0].local:
        return None
    tries = running[0].known.candidate.state == "half_open"
    patience_ms = TRY_PATIENCE_MS if tries else plan.hedge_after_ms
    return None if patience_ms is None else time.monotonic() + patience_ms / 1e3


def nobody(known: dict[Candidate, Known]) -> AuraError:
    """Return why nobody was asked."""
    if any(one.state != "closed" for one in known):
        return ProviderUnavailable("No provider of answers works at present. Try again in a moment.")
    return NotOffered("The policy of this assistant allows none of the providers that are set up.")
