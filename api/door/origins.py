"""Where requests may come from: other web pages must not act through a visitor's browser."""

from urllib.parse import urlsplit

from flask import Request

from schemas.errors.callers import Forbidden
from schemas.settings import Settings, get_settings

FOR_OTHER_SITES = ("/api/widget/", "/ws/voice/widget")
"""What the widget calls from the pages of tenants."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check(asking: Request) -> None:
    """Refuse what a web page of another site could send. Raises Forbidden.

    In single-tenant mode the Host must be one of ours (a name that resolves to loopback is not enough:
    DNS rebinding), and whatever changes state must not come from another site. A socket must not in any
    mode: a browser opens it without asking. Origins of AURA_CORS_ORIGINS are no other sites.
    """
    settings = get_settings()
    if settings.single_tenant and name(asking.host) not in settings.allowed_hosts:
        raise Forbidden("This server does not answer to that host name (AURA_ALLOWED_HOSTS).")
    if asking.path.startswith(FOR_OTHER_SITES):
        return  # Their own check is stricter: each widget names the sites that may show it (`api/door/visitors.py`).
    opens_socket = asking.headers.get("Upgrade", "").lower() == "websocket"
    if not opens_socket and (asking.method in SAFE_METHODS or not settings.single_tenant):
        return
    origin = asking.headers.get("Origin")
    if origin in settings.cors_origins:
        return
    if origin is not None and not _is_ours(urlsplit(origin).netloc, asking, settings):
        raise Forbidden("Requests from other sites are refused.")
    if asking.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden("Requests from other sites are refused.")


def shown(asking: Request) -> str | None:
    """Return the origin that a request comes from; browsers leave the header out where a page reads from its own."""
    origin = asking.headers.get("Origin")
    if origin is None and asking.headers.get("Sec-Fetch-Site") == "same-origin":
        return asking.host_url.rstrip("/")
    return origin


def is_own(origin: str, asking: Request) -> bool:
    """Return whether it is a page of this server itself: there a widget is tried out by whoever sets it up."""
    here = get_settings().public_url or asking.host_url
    return urlsplit(origin).netloc.lower() == urlsplit(here).netloc.lower()


def name(host: str) -> str:
    """Return a Host header's name without the port; brackets of IPv6 stay."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()


def _is_ours(netloc: str, asking: Request, settings: Settings) -> bool:
    if settings.single_tenant:
        return name(netloc) in settings.allowed_hosts
    return netloc.lower() == asking.host.lower()
