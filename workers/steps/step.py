"""What all steps share: a bundle of jobs in, what became of each out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from pipelines.stores.database import tenant_session
from pipelines.stores.ingest import stages
from pipelines.stores.ingest.parts import Claim, Made, Span, StageRef
from pipelines.stores.objects import artefact_key
from schemas.errors.requests import NotFound
from schemas.errors.tree import AuraError
from schemas.events import Event
from schemas.tables.knowledge import Document, Stage
from workers import wiring

INLINE_BYTES = 1 << 18
"""What a part makes is kept in its row up to this size: one transaction in place of an object to write and to read."""

SLICED = "*"
"""Stands in an artefact's name before the number of its slices."""

Pages = dict[StageRef, int]
"""How many pages of a part are done while it runs."""

Result = Made | list[Span] | AuraError
"""What became of a part: it is made, it is to be split, or it has failed."""


@dataclass(frozen=True)
class Job:
    """A part that is ours, and its document."""

    claim: Claim
    document: Document

    @property
    def ref(self) -> StageRef:
        return self.claim.ref


class Step:
    """One step over one bundle. `durable` ones wait for the disk; others are done again after a crash of Postgres."""

    durable: ClassVar[bool] = False
    is_last: ClassVar[bool] = False

    def work(self, jobs: Sequence[Job], pages: Pages) -> Sequence[Result]:
        """Return what became of each job, in their order. An AuraError that it raises is so for all of them."""
        raise NotImplementedError

    def effect(self, session: Session, kept: Sequence[Made]) -> None:
        """Write what the parts that are still ours mean, in the transaction that completes them."""

    def events(self, session: Session, jobs: Sequence[Job], kept: Sequence[Made]) -> list[Event]:
        """Return what is to be told of the parts that are still ours."""
        raise NotImplementedError

    def tidy(self, kept: Sequence[Made]) -> None:
        """Remove what nobody needs any more; after the commit, and no loss where it is not done."""


def tried(work: Callable[[], Result]) -> Result:
    """Return what `work` returns, or the error that is its document's own."""
    try:
        return work()
    except AuraError as error:
        return error


def made(job: Job, name: str, data: bytes, following: Stage, spans: Sequence[Span | None] = (None,)) -> Made:
    """Return the part as made, its bytes in the row where they are few, else in the object store."""
    if len(data) <= INLINE_BYTES:
        return Made(job.claim, payload=data, following=following, spans=spans)
    ref = job.ref
    wiring.objects().put(artefact_key(ref.tenant_id, ref.doc_id, ref.version, name), data)
    return Made(job.claim, artefact=name, following=following, spans=spans)


def made_of_slices(
    job: Job, name: str, slices: Sequence[bytes], following: Stage, spans: Sequence[Span | None]
) -> Made:
    """Return the part as made of slices, one for each part that follows.

    Several are objects of their own, so that whoever needs one of a long document does not read them all.
    """
    if len(slices) == 1:
        return made(job, name, slices[0], following, spans)
    ref = job.ref
    for number, data in enumerate(slices):
        wiring.objects().put(artefact_key(ref.tenant_id, ref.doc_id, ref.version, f"{name}-{number}"), data)
    return Made(job.claim, artefact=f"{name}{SLICED}{len(slices)}", following=following, spans=spans)


def artefacts(refs: Sequence[StageRef], *kinds: Stage, slices: bool = False) -> Mapping[UUID, list[bytes]]:
    """Return what the first of these stages that made anything made, by document, in order of the parts.

    With `slices`, of what was made of slices only the one with the number of the ref's own part. Raises
    NotFound then where there is none: the document was deleted just now.
    """
    with tenant_session(refs[0].tenant_id) as session:
        of_stages = [stages.artefacts(session, refs, kind) for kind in kinds]
    found: dict[UUID, list[bytes]] = {}
    for ref in refs:
        kept = next((made[ref.doc_id] for made in of_stages if made[ref.doc_id]), [])
        if slices and not kept:
            raise NotFound("What the step before made is gone.")
        found[ref.doc_id] = [data for one in kept for data in _read(ref, *one, slices)]
    return found


def _read(ref: StageRef, name: str, payload: bytes | None, one_slice: bool) -> Iterator[bytes]:
    if payload is not None:
        yield payload
        return
    base, sliced, count = name.partition(SLICED)
    names = [f"{base}-{number}" for number in range(int(count))] if sliced else [name]
    for each in [names[ref.part]] if sliced and one_slice else names:
        yield wiring.objects().get(artefact_key(ref.tenant_id, ref.doc_id, ref.version, each))
