"""What browsers are told about every answer: who may read it, where it may appear, what it may load.

Cross-origin reading is by allow-list (`AURA_CORS_ORIGINS`), but for what the widget calls, and nothing here rests on
cookies: a page of another origin brings a token of its own, so none is let in with the visitor's credentials.
"""

import re
import secrets

from flask import Flask, Response, g, request
from flask_cors import CORS
from flask_openapi3_swagger.templates import swagger_html_string

from api.door import origins, tus_headers
from schemas.settings import get_settings

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
"""Small letters only: so browsers write the origins they send."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ALLOWED_HEADERS = (
    *("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Prefer", "X-Tenant-ID"),
    *tus_headers.REQUEST_HEADERS,
)
EXPOSED_HEADERS = (
    *tus_headers.ANSWER_HEADERS,
    "Idempotent-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Limit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
)
PREFLIGHT_S = 600

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), display-capture=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise itself."""

HSTS = "max-age=31536000"

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"
# Swagger's style sheet draws its arrows from data: images.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{0}'; style-src 'self' 'nonce-{0}'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

WIDGET = "/widget/"
"""What the sites of tenants load; the page with that very address is one of ours."""


def register(app: Flask) -> None:
    """Add the headers to every answer of `app`. Raises ValueError where an allowed origin is none."""
    if allowed := _allowed_origins():
        CORS(
            app,
            # As patterns: flask-cors would take the brackets of an IPv6 address for one of its own.
            origins=[re.compile(re.escape(origin) + r"\Z") for origin in allowed],
            methods=METHODS,
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_S,
            always_send=False,
            intercept_exceptions=False,
        )
    app.after_request(_add_headers)
    app.jinja_env.globals["page_nonce"] = page_nonce
    app.config.update(
        SWAGGER_HTML_STRING=re.sub(r"<(script|style)>", r'<\1 nonce="{{ page_nonce() }}">', swagger_html_string),
        # Unless told otherwise, the page sends our address to a validator on the internet.
        SWAGGER_CONFIG={"validatorUrl": "none"},
        OPENAPI_HTML_STRING='<!doctype html><title>AURA</title><meta http-equiv="refresh" content="0; url=swagger">',
    )


def _allowed_origins() -> tuple[str, ...]:
    """Return the origins whose pages may call this API. Raises ValueError for anything else, as a wildcard."""
    allowed = get_settings().cors_origins
    for origin in allowed:
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f"AURA_CORS_ORIGINS takes origins such as https://app.example.com:8443, not {origin!r}.")
    return allowed


def page_nonce() -> str:
    """Return the nonce that the page in work marks its inline scripts with, made when first asked for."""
    if "page_nonce" not in g:
        g.page_nonce = secrets.token_urlsafe(16)
    return str(g.page_nonce)


def _add_headers(response: Response) -> Response:
    embedded = request.path.startswith(WIDGET) and request.path != WIDGET
    response.headers.setdefault("Content-Security-Policy", _content_policy(response, embedded))
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if embedded or request.path.startswith(origins.FOR_OTHER_SITES):
        _let_other_sites_read(response)
    if embedded:
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    else:
        response.headers["X-Frame-Options"] = "DENY"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = HSTS
    return response


def _let_other_sites_read(response: Response) -> None:
    """Let the widget work on any site: no answer here is given for a cookie, and a token holds for one site alone."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "Location, Retry-After"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Last-Event-ID"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_S)


def _content_policy(response: Response, embedded: bool) -> str:
    if nonce := g.pop("page_nonce", None):
        return DOCS_POLICY.format(nonce)
    if response.mimetype != "text/html":
        return DATA_POLICY
    return PAGE_POLICY if embedded else f"{PAGE_POLICY}; frame-ancestors 'none'"
