"""Bodies of requests and responses about what an organisation's turns came to, and about the queues they wait in."""

from datetime import date

from pydantic import BaseModel, Field

from schemas.requests.common import Key
from schemas.requests.organisation.costs import Period


class TurnQuery(Period):
    """Which days, and whose turns."""

    assistant_key: Key | None = Field(None, description="Only turns of this assistant.")


class TurnCount(BaseModel):
    """How many turns began, how they ended, and what was thought of them.

    `confidence` is the mean of those that were answered, null where none was. `unanswered` were asked in vain. `liked`
    are thumbs up and four or five stars, `disliked` thumbs down and one or two.
    """

    turns: int
    completed: int
    failed: int
    cancelled: int
    spoken: int
    cache_hits: int
    unanswered: int
    liked: int
    disliked: int
    confidence: float | None


class TurnsOfDay(TurnCount):
    """The same of one day (UTC); days without turns are left out."""

    day: date


class TurnsOfAssistant(TurnCount):
    """The same of one assistant."""

    assistant_key: str


class TurnCounts(BaseModel):
    """What turns of some days came to. `confidences` are ten counts of answers: of 0 to 0.1, and so on to 1."""

    since: date
    until: date
    total: TurnCount
    by_day: list[TurnsOfDay]
    by_assistant: list[TurnsOfAssistant]
    confidences: list[int]


class QueueState(BaseModel):
    """One queue: how many messages wait in it, and which workers take from it."""

    name: str
    waiting: int
    workers: list[str]


class QueueStates(BaseModel):
    """Every queue that must have a worker; `degraded` where one has none. `flower_url` is null beyond this machine."""

    status: str = Field(description="ok or degraded.")
    queues: list[QueueState]
    flower_url: str | None
