"""Bodies of the requests about an organisation's own keys of providers."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, RootModel, SecretStr

from schemas.requests.common import Body

KEY = re.compile(r"[\x21-\x7e]{8,500}")
"""What can stand in an HTTP header as a token: printable ASCII without blanks."""


class KeyedProvider(StrEnum):
    """A provider that takes a key. Only the key is a tenant's: an address of their choice would reach inside."""

    OPENAI = "openai"
    GROK = "grok"
    GROQ = "groq"
    ELEVENLABS = "elevenlabs"
    CUSTOM = "custom"

    @property
    def key_field(self) -> str:
        """Return the field of Settings that holds the deployment's key."""
        return f"{self.value}_api_key"


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _well_formed(value: SecretStr) -> SecretStr:
    if not KEY.fullmatch(value.get_secret_value()):
        raise ValueError("a key has 8 to 500 printable characters and no blanks")
    return value


class ProviderKeyBody(Body):
    """A key to keep."""

    key: Annotated[SecretStr, BeforeValidator(_stripped), AfterValidator(_well_formed)] = Field(
        description="The provider's key. It is sealed, and never shown again."
    )


class ProviderPath(BaseModel):
    """The provider that a path names."""

    provider: KeyedProvider


class ProviderKeyView(BaseModel):
    """What may be seen of a kept key."""

    provider: KeyedProvider
    hint: str = Field(description="The key's last four characters; empty where it is short.")
    set_at: datetime


class ProviderKeyList(RootModel[list[ProviderKeyView]]):
    """The kept keys, by provider."""


class KeyTrial(BaseModel):
    """One kind of work, tried with the key; `code` and `detail` say why it does not work."""

    kind: Literal["chat", "embedding", "speech"]
    model: str
    works: bool
    code: str | None
    detail: str
    ms: int


class KeyTrials(BaseModel):
    """What the key was tried for; nothing where this deployment uses the provider for nothing that can be tried."""

    trials: list[KeyTrial]


class ProviderKeyGone(ProviderKeyView):
    """The receipt of a removed key."""

    deleted_at: datetime
