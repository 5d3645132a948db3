"""Bodies of requests and responses about what a tenant has used."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from schemas.requests.common import Parameters


class UsageQuery(Parameters):
    """Which month; this one (UTC) unless one is named."""

    model_config = ConfigDict(extra="ignore")

    month: str | None = Field(None, pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="A month as YYYY-MM.")


class Used(BaseModel):
    """How much of a limit is used. Without a limit there is no percentage either."""

    used: float
    limit: float | None
    percent: float | None


class ModelUse(BaseModel):
    """What one model did in the month. `kind` is chat, embedding, transcription or speech."""

    kind: str
    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float = Field(description="Of sound that was heard or spoken.")
    cost_usd: Decimal


class RateView(BaseModel):
    """Calls a minute: of the organisation, of one user, of one API key."""

    tenant: int
    user: int
    key: int


class TenantUsage(BaseModel):
    """What the organisation has used in a month. Storage, users and sessions are those of now."""

    month: str
    tier: str
    api_calls: Used
    cost_usd: Used
    storage_bytes: Used
    users: Used
    sessions: Used
    documents: int
    input_tokens: int
    output_tokens: int
    models: list[ModelUse]
    rates_per_minute: RateView
