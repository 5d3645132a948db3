"""The one HTTP client for addresses that tenants give us. Whatever they lead to, it reaches nothing inside.

No proxies of the environment, no redirects unless asked for, a limit on time over all and on size.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import urljoin

from pipelines.outbound.addresses import Allowed
from pipelines.outbound.client import Answer, Client
from pipelines.outbound.connecting import checked
from pipelines.outbound.urls import Target, parse
from schemas.errors.addresses import (
    AddressRefused,
    AnswerTooLong,
    HostUnknown,
    RemoteTimeout,
    TooManyRedirects,
    UnreadableAnswer,
)
from schemas.settings import get_settings

__all__ = ["Answer", "Client", "Fetched", "Target", "allowed_here", "check", "fetch", "vetted"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
RESOLVE_S = 5.0


@dataclass(frozen=True)
class Fetched:
    """A page or file that was fetched; `final_url` is where the redirects ended."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    final_url: str


def allowed_here() -> Allowed:
    """Return what this deployment allows. Raises CannotStart."""
    return Allowed.parse(get_settings().outbound_allow)


def check(url: str) -> Target:
    """Return where a web address leads, all of whose addresses may be connected to now.

    For the moment it is saved: at the request everything is checked again. Raises AddressRefused, HostUnknown.
    """
    allowed = allowed_here()
    target = vetted(url, allowed)

    async def look() -> None:
        async with asyncio.timeout(RESOLVE_S):
            await checked(target.host, target.port, allowed)

    try:
        asyncio.run(look())
    except TimeoutError as error:
        raise HostUnknown from error
    return target


def vetted(url: str, allowed: Allowed) -> Target:
    """Return where a web address leads, unless its form or name is refused already. Raises AddressRefused."""
    target = parse(url)
    if target.is_inside and not allowed.names(target.host, target.port):
        raise AddressRefused
    return target


def fetch(url: str, *, max_bytes: int, timeout_s: float, max_redirects: int = MAX_REDIRECTS) -> Fetched:
    """Return what is at a web address, whatever its status; redirects are followed, each checked like the first.

    `timeout_s` is for all of it. Raises AddressRefused, HostUnknown, TooManyRedirects, AnswerTooLong,
    UnreadableAnswer (it is compressed although we asked for it plain), RemoteTimeout, Unreachable.
    """
    allowed = allowed_here()

    async def follow() -> Fetched:
        here = url
        async with Client(allowed) as client, asyncio.timeout(timeout_s):
            for _ in range(max_redirects + 1):
                target = vetted(here, allowed)
                answer = await client.send("GET", target, {}, timeout_s=timeout_s, max_bytes=max_bytes)
                to = answer.header("location")
                if answer.status not in REDIRECTS or to is None:
                    return _whole(answer, target)
                here = urljoin(target.text, to)
        raise TooManyRedirects

    try:
        return asyncio.run(follow())
    except TimeoutError as error:
        raise RemoteTimeout(f"No complete answer within {timeout_s:g} s.") from error


def _whole(answer: Answer, target: Target) -> Fetched:
    if answer.cut:
        raise AnswerTooLong
    if (answer.header("content-encoding") or "identity").lower() != "identity":
        raise UnreadableAnswer
    return Fetched(answer.status, answer.headers, answer.body, target.text)
