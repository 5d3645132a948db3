"""Taking in what a batch came as: archives and addresses, claimed by lease in the batch's row.

`options.sources` lists what is still to be taken in, in order; `taken_in` is the number of the next item of
the first. It moves in the transaction that adds the items, so that one is neither lost nor there twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.orm import Session

from pipelines.stores.ingest.batches import OPEN_STATES, SOURCE_ITEMS, Item, add_items
from schemas.errors.tree import AuraError
from schemas.errors.work import LeaseLost
from schemas.tables.batches import Batch, BatchItem, BatchState, Source

MAX_ATTEMPTS = 3
"""Claims that may end in silence one after the other, with nothing taken in between."""


@dataclass(frozen=True)
class Intake:
    """A claimed batch: take in the source of `kind` whose items are numbered from `first`, from item `at` on."""

    batch: Batch
    token: UUID
    kind: Source
    first: int
    at: int
    archive: str

    @property
    def tenant_id(self) -> UUID:
        return self.batch.tenant_id

    @property
    def batch_id(self) -> UUID:
        return self.batch.batch_id


def take_due(session: Session, at_most: int = 50) -> Sequence[tuple[UUID, UUID]]:
    """Return tenant and id of batches that nobody takes in although it is due. Needs an operator's session."""
    rows = session.execute(text("SELECT tenant_id, batch_id FROM take_due_intakes(:limit)"), {"limit": at_most})
    return [(row.tenant_id, row.batch_id) for row in rows]


def claim(session: Session, batch_id: UUID, lease_s: float) -> Intake | None:
    """Take the batch's first source for `lease_s` seconds; None where there is nothing to do, or another does it."""
    free = or_(Batch.lease_until.is_(None), Batch.lease_until < func.now())
    batch = session.scalar(
        update(Batch)
        .where(Batch.batch_id == batch_id, Batch.intake, Batch.state == BatchState.RUNNING, free)
        .where(Batch.due_at <= func.now())
        .values(attempts=Batch.attempts + 1, lease_token=uuid4(), lease_until=_in(lease_s))
        .returning(Batch)
        .execution_options(populate_existing=True)
    )
    if batch is None:
        return None
    assert batch.lease_token is not None
    sources = batch.options.get("sources", [])
    if not sources:
        release(session, batch_id, batch.lease_token, intake=False)
        return None
    first = int(sources[0]["first"])
    here = batch.taken_in if first <= batch.taken_in < first + SOURCE_ITEMS else first
    return Intake(batch, batch.lease_token, Source(sources[0]["kind"]), first, here, sources[0]["archive"])


def renew(session: Session, intake: Intake, lease_s: float) -> bool:
    """Prolong the lease; False where it is ours no more."""
    return _update(session, intake, lease_until=_in(lease_s)) is not None


def hold(session: Session, intake: Intake) -> None:
    """Lock the batch until the transaction ends, before anything else is. Raises LeaseLost."""
    ours = select(Batch.batch_id).where(Batch.batch_id == intake.batch_id, Batch.lease_token == intake.token)
    if session.scalar(ours.where(Batch.state.in_(OPEN_STATES)).with_for_update()) is None:
        raise LeaseLost


def took_in(session: Session, intake: Intake, items: Sequence[Item], first: int, up_to: int) -> bool:
    """Keep what became of the items from `first` to before `up_to`; return whether to go on.

    A paused batch keeps what it got and takes no more. Raises LeaseLost where the batch was cancelled, or another
    worker has it.
    """
    state = _update(session, intake, taken_in=up_to, attempts=0)
    if state is None:
        raise LeaseLost
    add_items(session, intake.batch, items, first)
    return state == BatchState.RUNNING


def fetched(session: Session, intake: Intake, found: Sequence[tuple[int, Item]]) -> bool:
    """Keep what became of addresses; as `took_in`."""
    state = _update(session, intake, taken_in=found[-1][0] + 1, attempts=0)
    if state is None:
        raise LeaseLost
    for number, item in found:
        session.execute(
            update(BatchItem)
            .where(BatchItem.batch_id == intake.batch_id, BatchItem.item == number)
            .values(**vars(item))
        )
    return state == BatchState.RUNNING


def addresses(session: Session, intake: Intake, at_most: int) -> list[tuple[int, str]]:
    """Return number and address of the next items that are neither fetched nor refused."""
    rows = session.execute(
        select(BatchItem.item, BatchItem.url)
        .where(BatchItem.batch_id == intake.batch_id, BatchItem.item >= intake.first)
        .where(BatchItem.item < intake.first + SOURCE_ITEMS, BatchItem.url.is_not(None))
        .where(BatchItem.doc_id.is_(None), BatchItem.error_code.is_(None))
        .order_by(BatchItem.item)
        .limit(at_most)
    )
    return [(number, url) for number, url in rows if url]


def source_done(session: Session, intake: Intake, error: AuraError | None = None) -> bool:
    """Go on to the batch's next source, for the reason that this one is taken in or cannot be.

    Returns whether there is a next one. Raises LeaseLost.
    """
    batch = session.scalar(
        select(Batch).where(Batch.batch_id == intake.batch_id, Batch.lease_token == intake.token).with_for_update(),
        execution_options={"populate_existing": True},
    )
    if batch is None:
        raise LeaseLost
    left = [source for source in batch.options.get("sources", []) if source["first"] != intake.first]
    batch.options = {**batch.options, "sources": left}
    batch.intake, batch.attempts, batch.taken_in = bool(left), 0, 0
    batch.lease_token = batch.lease_until = None
    if error is not None:
        batch.error_code, batch.error_detail = error.code, error.detail
    session.flush()
    return bool(left)


def release(session: Session, batch_id: UUID, token: UUID, wait_s: float = 0, **values: object) -> None:
    """Give the claim back, to be taken again after `wait_s` seconds."""
    session.execute(
        update(Batch)
        .where(Batch.batch_id == batch_id, Batch.lease_token == token)
        .values(lease_token=None, lease_until=None, due_at=_in(wait_s), **values)
    )


def _update(session: Session, intake: Intake, **values: object) -> str | None:
    return session.scalar(
        update(Batch)
        .where(Batch.batch_id == intake.batch_id, Batch.lease_token == intake.token, Batch.state.in_(OPEN_STATES))
        .values(**values)
        .returning(Batch.state)
        .execution_options(synchronize_session=False)
    )


def _in(seconds: float) -> ColumnElement[datetime]:
    return func.now() + timedelta(seconds=seconds)
