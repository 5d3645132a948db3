"""Bodies of requests and responses about what providers cost, whether they work, and what caches saved."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.requests.common import Key, Parameters

Day = Annotated[date, Field(ge=date(2020, 1, 1), le=date(2100, 1, 1))]


class Period(Parameters):
    """Which days (UTC), both included; this month up to today unless they are named."""

    model_config = ConfigDict(extra="ignore")

    since: Day | None = Field(None, description="The first day, as YYYY-MM-DD.")
    until: Day | None = Field(None, description="The last day.")


class CostQuery(Period):
    """Which days, and whose costs."""

    scope: Literal["own", "all"] = Field("own", description="`all` organisations: for the operator.")
    assistant_key: Key | None = Field(None, description="Only what was spent on this assistant.")


class Cost(BaseModel):
    """What calls of providers came to."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = Field(0.0, description="Of sound that was heard or spoken.")
    cost_usd: Decimal = Decimal(0)


class Costs(BaseModel):
    """What providers cost in some days, in total and by what it was spent on.

    `by_assistant` is told of one's own organisation, `by_tenant` of all.
    """

    since: date
    until: date
    scope: Literal["own", "all"]
    total: Cost
    by_kind: dict[str, Cost]
    by_provider: dict[str, Cost]
    by_model: dict[str, Cost]
    by_day: dict[date, Cost]
    by_assistant: dict[str, Cost]
    by_tenant: dict[UUID, Cost]


class ProviderState(BaseModel):
    """One provider of one kind: whether it is set up, and whether calls of it work.

    `state` is that of its circuit breaker: a provider whose circuit is `open` is not called.
    """

    kind: Literal["chat", "embedding", "transcription", "speech"]
    provider: str
    model: str
    offered: bool
    why_not: str
    local: bool
    chosen: bool
    own_key: bool = Field(description="Whether the organisation's own key leads to it.")
    state: Literal["closed", "open", "half_open"]
    first_token_ms: float | None = Field(None, description="Moving average of the time to an answer's first token.")
    slow_first_token_ms: float | None = Field(None, description="The 95th percentile of it.")


class ProviderStates(BaseModel):
    """How the providers do; `degraded` where one that is in use does not work at present."""

    status: Literal["ok", "degraded"]
    providers: list[ProviderState]


class CacheQuery(Period):
    """Which days, and which assistant."""

    assistant_key: Key | None = None


class CacheStatistics(BaseModel):
    """What the cache of answers did for turns of some days, and what it holds now.

    `misses` were asked of it and not found; what depends on its conversation is not asked of it.
    """

    enabled: bool
    turns: int
    exact: int
    near: int
    misses: int
    hit_rate: float | None = Field(description="Of the turns that were asked of it; null where none was.")
    saved_usd: Decimal
    saved_ms: float
    kept: int
    oldest: datetime | None


class CacheClearing(Parameters):
    """Which assistant's answers are dropped; all of the organisation's unless one is named."""

    model_config = ConfigDict(extra="ignore")

    assistant_key: Key | None = None


class CacheCleared(BaseModel):
    """How many answers were dropped."""

    dropped: int
