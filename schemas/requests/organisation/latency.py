"""Bodies of requests and responses about how long turns take."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from schemas.requests.common import Key
from schemas.requests.organisation.costs import Period


class LatencyQuery(Period):
    """Which days, and whose turns."""

    assistant_key: Key | None = Field(None, description="Only turns of this assistant.")
    kind: Literal["spoken", "written"] | None = Field(None, description="Only turns that were asked so.")


class Latency(BaseModel):
    """How long something took in half and in 95 of 100 turns.

    `measure` of a stage is `queued` or `run`; of stage `turn` it is `endpoint`, `first_token`, `first_audio`,
    `first_audio_sent`, `first_audio_heard` or `speech_to_sound`.
    """

    stage: str
    measure: str
    turns: int
    p50_ms: float
    p95_ms: float


class LatencyOfDay(Latency):
    """The same of one day (UTC)."""

    day: date


class LatencyOfProvider(Latency):
    """The same of one provider: of a stage the one that did its work, of a turn the one that answered."""

    provider: str


class LatencyOfTenant(Latency):
    """The same of one organisation."""

    tenant_id: UUID


class Latencies(BaseModel):
    """How long turns took that were completed in some days."""

    since: date
    until: date
    overall: list[Latency]
    by_day: list[LatencyOfDay]
    by_provider: list[LatencyOfProvider]


class LatenciesOfAll(Latencies):
    """The same over all organisations, with the moments of each."""

    by_tenant: list[LatencyOfTenant]
