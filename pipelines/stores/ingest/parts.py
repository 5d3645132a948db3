"""The units of ingest work: parts of a stage of a version of a document."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from schemas.tables.knowledge import Stage

MAX_ATTEMPTS = {Stage.EXTRACT: 3, Stage.LISTEN: 3, Stage.CHUNK: 3, Stage.EMBED: 6, Stage.STORE: 6}
"""Claims of one part that may end in silence before the document is given up.

A file can kill its parser, so three deaths condemn it. Clean text kills no embedder: there a death
is somebody else's fault, and a part of some seconds may meet it several times.
"""

MAX_DEFERRALS = 12
"""Times a part is put off because a provider does not answer: about an hour, doubling to 5 minutes."""

EXPRESS = "express"
"""The queue of a few documents whose tenant has nothing else in work."""


@dataclass(frozen=True)
class StageRef:
    """Names one part of one stage of one version of a document."""

    tenant_id: UUID
    doc_id: UUID
    version: int
    stage: Stage
    part: int = 0

    @property
    def key(self) -> tuple[UUID, int, int]:
        """Return what tells the part from others of its tenant and stage."""
        return self.doc_id, self.version, self.part


@dataclass(frozen=True)
class Span:
    """A part that is to follow: pages (0-based, end excluded), chunks, or milliseconds of a recording."""

    start: int
    end: int


@dataclass(frozen=True)
class Part:
    """A part that is to be enqueued, and where.

    It has so many `texts` (or pages). A `small` one travels in a bundle; one that is to go `alone` shares no message.
    """

    ref: StageRef
    queue: str
    texts: int = 1
    small: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Claim:
    """A part that is ours until the lease runs out."""

    ref: StageRef
    token: UUID
    span: Span | None
    attempts: int
    queue: str


@dataclass
class Claimed:
    """What came of claiming a bundle: parts that are ours, and those begun too often."""

    ours: list[Claim] = field(default_factory=list)
    spent: list[StageRef] = field(default_factory=list)


@dataclass(frozen=True)
class Made:
    """What a part made: an artefact's name or its bytes, and the parts that follow when the stage is done."""

    claim: Claim
    artefact: str | None = None
    payload: bytes | None = None
    following: Stage | None = None
    spans: Sequence[Span | None] = (None,)
