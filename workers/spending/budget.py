"""What providers cost a tenant: held before a call, settled after it, and told when it nears the budget."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast
from uuid import UUID

import structlog
from sqlalchemy import event

from pipelines.ingest import tokens
from pipelines.ports.models import ChatModel, Embedder, Prompt, Usage
from pipelines.ports.sound import Speaker, Transcriber
from pipelines.providers import messages
from pipelines.providers.servers import PRICES, Price
from pipelines.stores.database import TenantSession, tenant_session
from pipelines.stores.organisation import quotas, usage
from pipelines.stores.organisation.quotas import Resource
from pipelines.stores.organisation.usage import Spent
from pipelines.stores.redis import get_redis
from schemas.errors.callers import BudgetExceeded
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import NotFound
from schemas.errors.sound import NoSpeech
from schemas.errors.work import Cancelled
from schemas.events import EventName
from schemas.settings import get_settings
from workers import announce
from workers.spending import health
from workers.spending.questions import Remembering

log = structlog.get_logger()

HELD_FOR_S = 300.0
"""Longer than any call lasts; what a worker held that died is free again after it."""

BYTES_PER_TOKEN = 3
"""Of UTF-8 text. Four is usual for English; fewer, so that an estimate is rather too high."""


class Call:
    """One call of a provider: what is held for it, and what it came to.

    `spent` is what it came to, once that is known. `said` is the part of an answer that has come: a call
    that breaks off before has cost nothing, and after that what was said.
    """

    def __init__(
        self, tenant_id: UUID, kind: str, provider: str, model: str, expected: Spent, subject_id: UUID | None
    ) -> None:
        self.spent: Spent | None = None
        self.said: Sequence[str] = ()
        self.expected = expected
        self.cost_of_month = 0.0
        self.settled = False
        self._tenant_id = tenant_id
        self._about = (kind, provider, model)
        self._subject_id = subject_id
        self._held: UUID | None = None

    @property
    def is_held(self) -> bool:
        """Return whether something is held for the call, as for every one that has a price."""
        return self._held is not None

    def hold(self) -> None:
        """Hold what the call is expected to cost; nothing where its model has no price. Raises BudgetExceeded."""
        if not self.expected.cost_usd:
            return
        # A hold lives for minutes: to wait for the disk would only make the caller wait.
        with tenant_session(self._tenant_id, durable=False) as session:
            self._held = usage.hold(session, *self._about, self.expected.cost_usd, HELD_FOR_S, self._subject_id)

    def settle(self, session: TenantSession) -> None:
        """Write down what the call came to, in the transaction that keeps what it made."""
        spent = self.spent or self.expected
        if self._held is not None:
            cost = usage.settle(session, self._held, spent)
        else:
            cost = usage.record(session, *self._about, spent, self._subject_id)
        self.cost_of_month = float(cost or 0)
        event.listen(session, "after_commit", self._committed, once=True)

    def _committed(self, _: object) -> None:
        self.settled = True

    def so_far(self) -> Spent | None:
        """Return what an answer costs that was not heard to its end; None where nothing was held for it."""
        if self._held is None:
            return None
        output_tokens = _estimated(self.said)
        cost = _price(self._about[2]).of_tokens(self.expected.input_tokens, output_tokens)
        return Spent(self.expected.input_tokens, output_tokens, cost_usd=cost)

    def break_off(self) -> None:
        """Settle a call that ended in an error, or give back what is held for it."""
        if self.spent is None and self.said:
            self.spent = self.so_far()
        if self.spent is None and self._held is None:
            return
        with tenant_session(self._tenant_id) as session:
            if self.spent is not None:
                self.settle(session)
            elif self._held is not None:
                usage.release(session, self._held)


@contextmanager
def call(
    tenant_id: UUID, kind: str, provider: str, model: str, expected: Spent, subject_id: UUID | None = None
) -> Iterator[Call]:
    """Hold what a call is `expected` to come to and see to it that it is settled, by itself or at the end.

    A model without a price holds nothing. Raises BudgetExceeded.
    """
    made = Call(tenant_id, kind, provider, model, expected, subject_id)
    try:
        made.hold()
    except BudgetExceeded as error:
        _tell_cost(tenant_id, cast(float, error.facts["committed_usd"]), refused=True)
        raise
    completed = False
    try:
        with health.watch(tenant_id, kind, provider):
            yield made
        completed = True
    finally:
        if not made.settled and completed:
            with tenant_session(tenant_id, durable=expected.cost_usd > 0) as session:
                made.settle(session)
        elif not made.settled:
            made.break_off()
        if made.cost_of_month and expected.cost_usd:
            _tell_cost(tenant_id, made.cost_of_month)


@contextmanager
def chat(tenant_id: UUID, model: ChatModel, prompt: Prompt, subject_id: UUID) -> Iterator[Call]:
    """Hold what an answer may cost; its `Usage` becomes the call's `spent`. Raises BudgetExceeded."""
    expected = Spent()
    if _price(model.model) != FREE:
        expected = expected_of(model.model, input_tokens(prompt))
    with call(tenant_id, "chat", model.name, model.model, expected, subject_id) as made:
        try:
            yield made
        except Cancelled:
            # It had begun to answer, also where nothing of it was passed on.
            made.spent = made.spent or made.so_far()
            raise


def input_tokens(prompt: Prompt) -> int:
    """Return what reading a prompt is expected to take, rather too high."""
    return _estimated([message["content"] for message in messages.render(prompt)])


def expected_of(model: str, input_tokens: int) -> Spent:
    """Return the most that an answer of a model may come to: it is asked for no more than `answer_tokens`."""
    most = get_settings().answer_tokens
    return Spent(input_tokens, most, cost_usd=_price(model).of_tokens(input_tokens, most))


@contextmanager
def transcription(tenant_id: UUID, transcriber: Transcriber, seconds: float, subject_id: UUID) -> Iterator[Call]:
    """Hold what it costs to listen for so many seconds; silence costs as much. Raises BudgetExceeded."""
    expected = Spent(seconds=seconds, cost_usd=_price(transcriber.model).of_sound(seconds))
    with call(tenant_id, "transcription", transcriber.name, transcriber.model, expected, subject_id) as made:
        try:
            yield made
        except NoSpeech:
            made.spent = expected
            raise


@contextmanager
def embedding(tenant_id: UUID, embedder: Embedder, texts: Sequence[str], subject_id: UUID) -> Iterator[Call]:
    """Hold what it costs to embed the texts. Raises BudgetExceeded."""
    expected = Spent()
    if (price := _price(embedder.model)) != FREE:
        input_tokens = sum(map(tokens.count, texts))
        expected = Spent(input_tokens, cost_usd=price.of_tokens(input_tokens, 0))
    with call(tenant_id, "embedding", get_settings().embedder, embedder.model, expected, subject_id) as made:
        yield made


@contextmanager
def question(tenant_id: UUID, embedder: Embedder, text: str, subject_id: UUID) -> Iterator[None]:
    """Hold what it costs to embed a question; a free one leaves no trace, because somebody waits, and one whose
    vector is remembered costs nothing.

    Raises BudgetExceeded.
    """
    if isinstance(embedder, Remembering) and embedder.remembers(text):
        yield
        return
    if _price(embedder.model) == FREE:
        with health.watch(tenant_id, "embedding", get_settings().embedder):
            yield
        return
    with embedding(tenant_id, embedder, [text], subject_id):
        yield


@contextmanager
def speech(tenant_id: UUID, speaker: Speaker, text: str, subject_id: UUID) -> Iterator[Call]:
    """Hold what it costs to speak `text`; its seconds may be added to the call's `spent`. Raises BudgetExceeded."""
    model = getattr(speaker, "model", "")
    expected = Spent(cost_usd=_price(model).of_text(len(text)))
    with call(tenant_id, "speech", speaker.name, model, expected, subject_id) as made:
        yield made


def spent_on(used: Usage) -> Spent:
    """Return what an answer came to."""
    return Spent(used.input_tokens, used.output_tokens, cost_usd=used.cost_usd)


def tell(tenant_id: UUID, resource: Resource, used: float, limit: float, *, refused: bool = False) -> None:
    """Publish that a tenant nears or has reached a limit: each once a month. Without Redis nobody is told."""
    try:
        due = quotas.crossed(get_redis(), tenant_id, resource, used, limit, refused=refused)
    except StoreUnavailable:
        log.warning("quota not told", resource=resource.value)
    else:
        publish(tenant_id, due, resource, used, limit)


def publish(tenant_id: UUID, due: Sequence[EventName], resource: Resource, used: float, limit: float) -> None:
    """Publish the events that are due."""
    for name in due:
        announce.tenant(
            name, tenant_id, resource=resource.value, month=f"{quotas.this_month():%Y-%m}", used=used, limit=limit
        )


def _tell_cost(tenant_id: UUID, cost: float, *, refused: bool = False) -> None:
    try:
        budget = quotas.limits(tenant_id).max_monthly_cost_usd
    except (NotFound, StoreUnavailable):
        # What was paid for must not fail because nobody could be told what it cost.
        return
    if budget is not None:
        tell(tenant_id, Resource.COST, cost, float(budget), refused=refused)


FREE = Price()


def _price(model: str) -> Price:
    return PRICES.get(model, FREE)


def _estimated(texts: Sequence[str]) -> int:
    return math.ceil(sum(len(text.encode(errors="replace")) for text in texts) / BYTES_PER_TOKEN)
