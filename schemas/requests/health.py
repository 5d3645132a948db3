"""What is told of the health of this stack."""

from typing import Literal

from pydantic import BaseModel


class ServiceHealth(BaseModel):
    """Whether there is what answers, what speaks and listens, and what searches."""

    smart_router: bool
    voice: bool
    data_service: bool


class ApiHealth(BaseModel):
    """Whether a provider of answers can be used here."""

    offered: bool


class Health(BaseModel):
    """That the process lives, and what it offers; `apis` are the providers of answers by name.

    `notices` are sentences for the operator: what works, but not as well as it could.
    """

    status: Literal["healthy"] = "healthy"
    mode: Literal["single-tenant", "multi-tenant"]
    services: ServiceHealth
    apis: dict[str, ApiHealth]
    notices: list[str] = []


class Readiness(BaseModel):
    """Whether the whole stack can take work, and which of its parts are there."""

    status: Literal["ready", "not ready"]
    parts: dict[str, bool]
