"""Where a turn's answer comes from: what was kept, else the model that the router names, else the next one.

A model that fails before its first word is followed by the next; after it nothing is repeated: the listener has
heard it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from pipelines.ports.models import Delta, Prompt, Usage
from pipelines.stores.database import TenantSession
from pipelines.turn.composing.verbatim import verbatim
from pipelines.turn.generating import routing
from schemas.errors.providers import AnswerCutShort
from schemas.errors.tree import AuraError
from schemas.errors.work import Cancelled
from schemas.events import EventName
from workers.dialogue import caching, turning
from workers.dialogue.attempts import FAILS_OVER, Attempt, Race
from workers.dialogue.caching import Hit
from workers.dialogue.turning import Taken
from workers.spending import budget, circuits

BROKE_OFF = " I am sorry, my answer broke off here. Please ask again."
"""What a listener hears, who would else be left with half an answer."""

AT_ITS_LIMIT = " […]"

log = structlog.get_logger()


class Answer:
    """The answer of one turn in the making; to `generate` it is the model that writes it.

    `route` says who was asked and why, `hit` what was kept, `whole` whether the answer came to its end and from
    whom it was wanted.
    """

    name = "none"
    model = "none"

    def __init__(self, taken: Taken, cancelled: Callable[[], bool]) -> None:
        self.hit: Hit | None = None
        self.route: dict[str, Any] = {}
        self.whole = True
        self._turn, self._kept, self._cancelled = taken.turn, taken.kept, cancelled
        self._policy = caching.policy_of(taken.about.standing)
        self._speaker: Attempt | None = None
        self._broken: AuraError | None = None

    def answer(self, prompt: Prompt) -> Iterator[Delta]:
        """Yield the answer and its `Usage`. Raises Cancelled, AnswerCutShort, or what the first model asked raised."""
        if (pair := verbatim(prompt.question, prompt.passages)) is not None:
            self.route = {"provider": "local", "model": "training pair", "reason": "it asks for a training pair"}
            self._tell_started()
            yield pair[0]
            yield Usage("local", "training pair")
            return
        self.hit = caching.found(self._turn, self._kept)
        if self.hit is not None:
            self._tell_started()
            yield self.hit.kept.answer
            yield Usage(self.hit.kept.provider, self.hit.kept.model)
            return
        yield from self._spoken(*self._first(prompt))

    def settle(self, session: TenantSession) -> None:
        """Settle the call that answered in the transaction that keeps the answer."""
        if self._speaker is not None:
            self._speaker.call.settle(session)

    def found(self) -> dict[str, Any] | None:
        """Return what a kept answer brings to its turn; None where a model answered."""
        if self.hit is None:
            return None
        kept = self.hit.kept
        return {
            "answer": kept.answer,
            "citations": kept.citations,
            "passages": kept.passages,
            "confidence": kept.confidence,
            "cache": self.hit.noted(self._turn),
        }

    def end(self, error: BaseException | None) -> None:
        """Close what is still open. An answer that broke off counts as the provider's failure, however it is told."""
        if self._speaker is not None:
            self._speaker.end(self._broken or error)

    def _first(self, prompt: Prompt) -> tuple[Attempt, str]:
        """Return the request that answers, and its first words."""
        known = {one.candidate: one for one in circuits.known(self._turn.tenant_id, budget.input_tokens(prompt))}
        plan = routing.plan(tuple(known), prompt.question, prompt.spoken, self._policy)
        race = Race(self._turn, prompt, known, plan)
        self.route = {"rule": plan.rule, "reason": plan.reason, "attempts": race.rows}
        if self._cancelled():
            raise Cancelled
        race.ask()
        # While the model reads.
        self._tell_started()
        self._speaker, first = race.first(self._cancelled)
        one = self._speaker.known.candidate
        self.whole = not routing.stands_in(one, tuple(known), self._policy)
        self.route |= {**one.named, "fallback": not self.whole}
        return self._speaker, first

    def _spoken(self, speaker: Attempt, first: str) -> Iterator[Delta]:
        """Yield the answer from its first words on. One that breaks off is said to be so."""
        said = [first]
        speaker.call.said = said
        yield first
        try:
            while True:
                if self._cancelled():
                    raise Cancelled
                piece = speaker.speaking.next()
                if isinstance(piece, Usage):
                    speaker.call.spent = budget.spent_on(piece)
                    if not piece.complete:
                        self._cut()
                        yield AT_ITS_LIMIT
                    yield piece
                    return
                if piece is not None:
                    said.append(piece)
                # An empty piece says that the model is silent: what was held back may go on.
                yield piece or ""
        except FAILS_OVER as error:
            self._cut()
            self._broken = error
            log.warning("answer broke off", code=error.code, detail=error.detail)
            if not self._turn.spoken:
                raise AnswerCutShort(f"{error.detail} What had come of it is kept.", said="".join(said)) from error
            yield BROKE_OFF
            yield self._so_far(speaker)

    def _tell_started(self) -> None:
        turning.tell(EventName.TURN_STARTED, self._turn, attempt=self._turn.attempts)

    def _cut(self) -> None:
        self.route["cut_short"] = True
        self.whole = False

    def _so_far(self, speaker: Attempt) -> Usage:
        """Return what a broken answer has cost."""
        one = speaker.known.candidate
        speaker.call.spent = speaker.call.so_far()
        if (spent := speaker.call.spent) is None:
            return Usage(one.provider, one.model, complete=False)
        return Usage(one.provider, one.model, spent.input_tokens, spent.output_tokens, spent.cost_usd, complete=False)


@contextmanager
def answering(taken: Taken, cancelled: Callable[[], bool]) -> Iterator[Answer]:
    """Answer a turn; what is held for it is settled, or given back, however the block ends."""
    answer = Answer(taken, cancelled)
    try:
        yield answer
    except BaseException as error:
        answer.end(error)
        if isinstance(error, AuraError):
            error.facts["route"] = answer.route
        raise
    answer.end(None)
