"""What AURA refuses to start with: settings that would leave the door open."""

import ipaddress
from urllib.parse import urlsplit

from schemas.errors.work import CannotStart
from schemas.settings import Settings

MIN_SECRET_CHARS = 32
KNOWN_SECRETS = (
    "your-secret-key",
    "change-me",
    "changeme",
    "change-in-production",
    "secret-key",
    "internal-system-key",
)
"""Parts of secrets that stand in examples."""


def refuse_unsafe_start(settings: Settings) -> None:
    """Raise CannotStart where these settings would not be safe to serve with.

    On the loopback address a machine's own person is trusted. Beyond it callers need tokens, secrets
    must be nobody's example, and mails need an address that no client can choose.
    """
    if is_loopback(settings.host):
        return
    if settings.single_tenant:
        raise CannotStart(
            f"AURA_SINGLE_TENANT answers without a token, so it listens on loopback only, not on {settings.host}."
            " Set AURA_SINGLE_TENANT=0."
        )
    secrets = [key.get_secret_value() for key in settings.secret_keys]
    if not secrets:
        raise CannotStart(
            "AURA_SECRET_KEYS is not set. Beyond loopback it must hold a secret of your own, such as the output of"
            " `openssl rand -base64 32`."
        )
    for secret in secrets:
        if len(secret) < MIN_SECRET_CHARS or len(set(secret)) < 10:
            raise CannotStart(
                f"A secret in AURA_SECRET_KEYS is too weak: {MIN_SECRET_CHARS} random characters or more."
            )
        if any(known in secret.lower() for known in KNOWN_SECRETS):
            raise CannotStart("A secret in AURA_SECRET_KEYS is one of an example. Make one of your own.")
    if not settings.public_url and not settings.base_domain:
        raise CannotStart("AURA_PUBLIC_URL is not set: mails could not say where to go. Set this server's address.")
    if settings.public_url and urlsplit(settings.public_url).scheme not in ("http", "https"):
        raise CannotStart("AURA_PUBLIC_URL is no http or https address.")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
