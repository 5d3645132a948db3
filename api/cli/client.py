"""The server that the commands talk to."""

import click
import httpx

from schemas.settings import get_settings


def client() -> httpx.Client:
    """Return a client of the running server. Raises ClickException where none answers."""
    settings = get_settings()
    address = f"http://{settings.host}:{settings.port}"
    try:
        httpx.get(f"{address}/health", trust_env=False, timeout=10)
    except httpx.TransportError:
        raise click.ClickException(
            f"AURA does not answer at {address}. Start it with `make run`, or see `flask --app api doctor`."
        ) from None
    headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"} if settings.api_key else {}
    return httpx.Client(base_url=address, timeout=120, trust_env=False, headers=headers)
