"""Secrets that their bearer shows: refresh tokens, API keys, one-time links, socket tickets, visitors.

Each names its tenant, so that no lookup over all tenants is needed: `aura_<kind>_` and URL-safe base64 of
the tenant's id (16 bytes) and 32 random bytes. Only the SHA-256 of the whole is kept; 256 random
bits need no slow hash.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

SECRET_BYTES = 32
SHOWN_CHARS = 4


class Kind(StrEnum):
    """What a secret opens."""

    API_KEY = "sk"
    REFRESH = "rt"
    LINK = "ln"
    TICKET = "tk"
    VISITOR = "vt"


@dataclass(frozen=True)
class Bearer:
    """A secret that was made or shown."""

    kind: Kind
    tenant_id: UUID
    text: str

    @property
    def hash(self) -> str:
        """Return what is kept of it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def prefix(self) -> str:
        """Return what may be shown of it: its kind and its last four characters."""
        return f"aura_{self.kind}_...{self.text[-SHOWN_CHARS:]}"


def made(kind: Kind, tenant_id: UUID) -> Bearer:
    """Return a new secret."""
    body = base64.urlsafe_b64encode(tenant_id.bytes + secrets.token_bytes(SECRET_BYTES)).decode()
    return Bearer(kind, tenant_id, f"aura_{kind}_{body}")


def shown(text: str, *kinds: Kind) -> Bearer | None:
    """Return the secret that `text` is, where it is one of these kinds; whether it is known is not asked."""
    found = FORM.fullmatch(text)
    if found is None or found["kind"] not in kinds:
        return None
    return Bearer(Kind(found["kind"]), UUID(bytes=base64.urlsafe_b64decode(found["body"])[:16]), text)


FORM = re.compile(r"aura_(?P<kind>[a-z]{2})_(?P<body>[A-Za-z0-9_-]{64})")
