"""Signatures by Standard Webhooks (https://www.standardwebhooks.com), made by its reference library."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks.webhooks import Webhook

PREFIX = "whsec_"
SECRET_BYTES = 32

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def new_secret() -> str:
    """Return a new secret in the form that libraries take: `whsec_` and base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed(body: str, message_id: str, at: datetime, signing: Sequence[str]) -> dict[str, str]:
    """Return the three headers of a message that is sent `at` (UTC), with a signature by each secret."""
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in signing]
    return {ID: message_id, TIMESTAMP: str(int(at.timestamp())), SIGNATURE: " ".join(signatures)}
