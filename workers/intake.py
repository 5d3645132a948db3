"""Takes in what a batch came as: the files of an archive, or those at web addresses.

A worker that dies is followed by another, which goes on behind the last group that was committed. A document
taken in has an id that follows from its item, so what is stored twice is stored in one place.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO
from uuid import UUID, uuid5

from pipelines.ingest import unpack
from pipelines.stores.database import TenantSession, tenant_session
from pipelines.stores.ingest import batches, intakes
from pipelines.stores.ingest.batches import Item
from pipelines.stores.ingest.intakes import Intake
from pipelines.stores.objects import PIECE_BYTES, ObjectStore, archive_key
from schemas.errors.callers import QuotaExceeded
from schemas.errors.files import Damaged, TooManyAttempts
from schemas.errors.requests import NotFound
from schemas.errors.tree import AuraError, Permanent, Transient
from schemas.errors.work import LeaseLost
from schemas.settings import get_settings
from schemas.tables.batches import Source
from workers.app import app
from workers.documents import batches as telling
from workers.documents import fetching, reception
from workers.documents.reception import Incoming, Order, Received
from workers.process import leases

GROUP_FILES = 100
GROUP_BYTES = 64 << 20
UNPACKED_TIMES = 4
"""What an archive may unpack to, as a multiple of the largest one that is accepted."""

FETCHING = 8
"""Addresses that are fetched at once, for one batch."""


@app.task(name="workers.intake.take_in")
def take_in(tenant_id: str, batch_id: str) -> None:
    """Take in the batch's sources, one after the other, until none is left or it is paused or cancelled."""
    while _source(UUID(tenant_id), UUID(batch_id)):
        pass


def _source(tenant_id: UUID, batch_id: UUID) -> bool:
    """Take in one source; return whether there is another one to go on with."""
    lease_s = get_settings().stage_lease_s
    with tenant_session(tenant_id) as session:
        intake = intakes.claim(session, batch_id, lease_s)
    if intake is None:
        return False
    try:
        if intake.batch.attempts > intakes.MAX_ATTEMPTS:
            raise TooManyAttempts("Taking these files in stopped the worker repeatedly, so the rest was put aside.")
        with leases.kept(lambda: _renew(intake, lease_s), lease_s / 4):
            through = TAKERS[intake.kind](intake)
        return _end(intake) if through else _give_back(intake)
    except Transient as error:
        return _give_back(intake, error.retry_after_s + 2, attempts=intake.batch.attempts - 1)
    except Permanent as error:
        return _end(intake, error)
    except LeaseLost:
        return False


def _end(intake: Intake, error: Permanent | None = None) -> bool:
    """Close the source, drop its archive, and complete the batch if this was the last of it."""
    try:
        with tenant_session(intake.tenant_id) as session:
            more = intakes.source_done(session, intake, error)
    except LeaseLost:
        return False
    if intake.archive:
        ObjectStore(get_settings()).delete(archive_key(intake.tenant_id, intake.batch_id, intake.archive))
    if not more:
        telling.settle(intake.tenant_id, [intake.batch_id])
    return more


def _give_back(intake: Intake, wait_s: float = 0, **values: object) -> bool:
    with tenant_session(intake.tenant_id) as session:
        intakes.release(session, intake.batch_id, intake.token, wait_s, **values)
    return False


def _renew(intake: Intake, lease_s: float) -> bool:
    with tenant_session(intake.tenant_id, durable=False) as session:
        return intakes.renew(session, intake, lease_s)


@dataclass
class _Group:
    """Items one after the other, from number `first`, that are taken in together: files and errors."""

    intake: Intake
    first: int
    found: list[Incoming | Item] = field(default_factory=list)
    size: int = 0

    def add(self, entry: unpack.Entry) -> None:
        number = self.first + len(self.found)
        try:
            if entry.stream is None:
                raise entry.error or Damaged
            file, size = _copied(entry.stream)
        except Permanent as error:
            self.found.append(Item(entry.name, entry.folder, None, None, error.code, error.detail))
            return
        doc_id = uuid5(self.intake.batch_id, str(number))
        self.found.append(Incoming(entry.name, file, entry.folder, doc_id=doc_id))
        self.size += size

    def is_full(self) -> bool:
        return len(self.found) >= GROUP_FILES or self.size >= GROUP_BYTES

    def commit(self) -> bool:
        """Make documents of the files and items of all; return whether to go on. Raises LeaseLost."""

        def keep(session: TenantSession, received: Sequence[Received]) -> None:
            nonlocal going_on
            items = _merged(self.found, received)
            up_to = self.first + len(items)
            going_on = intakes.took_in(session, self.intake, items, self.first, up_to)

        going_on = True
        if self.found:
            _receive(self.intake, [one for one in self.found if isinstance(one, Incoming)], keep)
        return going_on


def _take_archive(intake: Intake) -> bool:
    """Take in the files of an archive; return False where the batch was paused before its end.

    Raises Damaged, Bomb, TooManyDocuments where the archive as a whole is refused.
    """
    settings, batch = get_settings(), intake.batch
    with tenant_session(intake.tenant_id) as session:
        places = settings.max_batch_files - batches.size(session, intake.batch_id) + intake.at - intake.first
    limits = unpack.Limits(places, settings.max_upload_mb << 20, UNPACKED_TIMES * settings.max_batch_mb << 20)
    with TemporaryFile() as file:
        key = archive_key(intake.tenant_id, intake.batch_id, intake.archive)
        for piece in ObjectStore(settings).pieces(key):
            file.write(piece)
        group = _Group(intake, intake.at)
        found = unpack.entries(file, batches.password_of(batch), limits)  # type: ignore[arg-type]
        for number, entry in enumerate(found, intake.first):
            if number < intake.at:
                continue
            group.add(entry)
            if group.is_full():
                if not group.commit():
                    return False
                group = _Group(intake, number + 1)
        return group.commit()


def _take_addresses(intake: Intake) -> bool:
    """Take in what is at the addresses; return False where the batch was paused before the last."""
    while True:
        with tenant_session(intake.tenant_id) as session:
            todo = intakes.addresses(session, intake, FETCHING)
        if not todo:
            return True
        with ThreadPoolExecutor(FETCHING) as pool:
            found = list(pool.map(lambda one: _fetched(intake, *one), todo))
        if not _keep_fetched(intake, [number for number, _ in todo], found):
            return False


def _keep_fetched(intake: Intake, numbers: Sequence[int], found: Sequence[Incoming | Item]) -> bool:
    going_on = True

    def keep(session: TenantSession, received: Sequence[Received]) -> None:
        nonlocal going_on
        items = _merged(found, received)
        going_on = intakes.fetched(session, intake, list(zip(numbers, items, strict=True)))

    _receive(intake, [one for one in found if isinstance(one, Incoming)], keep)
    return going_on


def _fetched(intake: Intake, number: int, url: str) -> Incoming | Item:
    try:
        name, file = fetching.fetch(url)
    except AuraError as error:
        return Item(url, "", url, None, error.code, error.detail)
    return Incoming(name, file, source_url=url, doc_id=uuid5(intake.batch_id, str(number)))


TAKERS: dict[Source, Callable[[Intake], bool]] = {Source.ZIP: _take_archive, Source.URL: _take_addresses}


def _receive(
    intake: Intake, incoming: list[Incoming], keep: Callable[[TenantSession, Sequence[Received]], None]
) -> None:
    """Take files in for the batch; where there is no room for them, each is refused with that."""
    batch = intake.batch
    password = batches.password_of(batch)
    order = Order(batch.tenant_id, batch.user_id, batch.assistant_key, batch.priority, password, batch.batch_id)
    try:
        reception.receive(order, incoming, lambda session: intakes.hold(session, intake), keep)
    except (QuotaExceeded, NotFound) as error:
        # NotFound: the assistant is gone meanwhile.
        with tenant_session(intake.tenant_id) as session:
            intakes.hold(session, intake)
            keep(session, reception.refused(incoming, error))


def _merged(found: Sequence[Incoming | Item], received: Sequence[Received]) -> list[Item]:
    results: Iterator[Received] = iter(received)
    return [one if isinstance(one, Item) else next(results).as_item() for one in found]


def _copied(content: IO[bytes] | unpack.Stream) -> tuple[IO[bytes], int]:
    """Return what can be read twice, and its size. Raises what reading the archive raises."""
    file: IO[bytes] = SpooledTemporaryFile(PIECE_BYTES)  # noqa: SIM115 (closed with the group)
    size = 0
    while piece := content.read(PIECE_BYTES) or b"":
        size += file.write(piece)
    return file, size
