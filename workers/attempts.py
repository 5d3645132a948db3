"""One request to one model: what is held for it, the answer on its way, and how it ended."""

import time
from contextlib import ExitStack, suppress
from typing import Any

from pipelines.ports import Prompt
from pipelines.turn.racing import Limits, Speaking
from schemas.dialogue import Turn
from schemas.errors import AuraError
from schemas.settings import get_settings
from workers import budget, wiring
from workers.circuits import Known


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
        return {"provider": one.provider, "model": one.model, "outcome": outcome, "ms": ms}
