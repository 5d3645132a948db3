"""What browsers are told: whose pages may read an answer, and what a page of ours may load."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from api import create_app
from api.door.permissions import allows
from schemas.settings import get_settings
from schemas.tables.identity import Permission

OURS, ALSO_OURS, FOREIGN = "https://app.example.com", "http://[::1]:5173", "https://evil.example"

Door = Callable[..., OpenAPI]


@pytest.fixture
def door(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """Yield a maker of applications that ask for a token and let pages of the given origins in."""

    def make(*origins: str) -> OpenAPI:
        monkeypatch.setenv("AURA_SINGLE_TENANT", "0")
        monkeypatch.setenv("AURA_CORS_ORIGINS", ",".join(origins))
        get_settings.cache_clear()
        return create_app()

    yield make
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
def visitor(door: Door) -> FlaskClient:
    return door(OURS, ALSO_OURS).test_client()


def preflight(visitor: FlaskClient, origin: str, path: str = "/api/documents/upload") -> dict[str, str]:
    """Return the headers of a browser's question whether a page of `origin` may POST with all our headers."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,last-event-id,prefer,"
        "x-tenant-id,x-other",
    }
    response = visitor.options(path, headers=asked)
    assert response.status_code == 200, response.get_data(as_text=True)
    return dict(response.headers)


@pytest.mark.parametrize("origin", [OURS, ALSO_OURS])
def test_a_listed_origin_may_ask_before_it_has_a_token(visitor: FlaskClient, origin: str) -> None:
    told = preflight(visitor, origin)
    assert told["Access-Control-Allow-Origin"] == origin
    assert told["Access-Control-Allow-Headers"] == (
        "authorization, content-type, idempotency-key, last-event-id, prefer, x-tenant-id"
    )
    assert {"POST", "DELETE"} <= set(told["Access-Control-Allow-Methods"].split(", "))
    assert told["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        FOREIGN,
        "null",
        OURS + ".evil.example",
        "http://app.example.com",
        OURS + ":8443",
        "https://appxexample.com",
        "http://[::1]",
    ],
)
def test_other_origins_are_told_nothing(visitor: FlaskClient, origin: str) -> None:
    assert not [name for name in preflight(visitor, origin) if name.startswith("Access-Control")]
    answered = visitor.get("/health", headers={"Origin": origin}).headers
    assert not [name for name in dict(answered) if name.startswith("Access-Control")]


def test_no_origin_is_let_in_unless_one_is_listed(door: Door) -> None:
    visitor = door().test_client()
    assert not [name for name in preflight(visitor, OURS) if name.startswith("Access-Control")]


def test_pages_of_a_listed_origin_can_read_errors_too(door: Door) -> None:
    app = door(OURS)

    @allows(Permission.PUBLIC)
    def break_down() -> str:
        raise RuntimeError

    app.add_url_rule("/broken", view_func=break_down)
    visitor = app.test_client()
    for path, status in (("/health", 200), ("/nowhere", 404), ("/api/documents", 401), ("/broken", 500)):
        response = visitor.get(path, headers={"Origin": OURS})
        assert (response.status_code, response.headers.getlist("Access-Control-Allow-Origin")) == (status, [OURS])
        exposed = set(response.headers["Access-Control-Expose-Headers"].split(", "))
        assert {"Retry-After", "Location", "Idempotent-Replayed", "RateLimit-Remaining"} <= exposed
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.example.com",
        "https://app.example.com/",
        "https://app.example.com/page",
        "https://user@app.example.com",
        "https://App.example.com",
        "app.example.com",
        "https://",
        "https://app.example.com:port",
        "https://app.example.com?",
        "null",
        ".*",
    ],
)
def test_what_is_no_origin_stops_the_start(door: Door, origin: str) -> None:
    with pytest.raises(ValueError, match="AURA_CORS_ORIGINS"):
        door(OURS, origin)


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/api/documents", "/docs/swagger", "/docs", "/openapi.json"])
def test_every_answer_carries_the_security_headers(visitor: FlaskClient, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Permissions-Policy"].startswith("microphone=(self), camera=()")
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_data_may_load_nothing(visitor: FlaskClient) -> None:
    for path in ("/health", "/api/documents", "/nowhere"):
        assert visitor.get(path).headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_pages_load_from_here_only(visitor: FlaskClient) -> None:
    policy = visitor.get("/docs").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; object-src 'none'; base-uri 'none'")


def test_the_docs_run_only_the_scripts_they_marked(visitor: FlaskClient) -> None:
    seen = set()
    for _ in range(2):
        response = visitor.get("/docs/swagger")
        page, policy = response.get_data(as_text=True), response.headers["Content-Security-Policy"]
        nonce = re.findall(r"script-src 'self' 'nonce-([\w-]{20,})'", policy)[0]
        inline = [tag for tag in re.findall(r"<(?:script|style)\b[^>]*>", page) if "src=" not in tag]
        assert inline == [f'<style nonce="{nonce}">', f'<script nonce="{nonce}">']
        seen.add(nonce)
    assert len(seen) == 2
    asset = visitor.get("/docs/swagger/js/swagger-ui-bundle.js")
    assert (asset.status_code, asset.headers["Cache-Control"]) == (200, "no-cache")


def test_only_the_widget_may_be_framed_and_loaded_by_other_sites(visitor: FlaskClient) -> None:
    headers = visitor.get("/widget/nothing").headers
    assert "X-Frame-Options" not in headers
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "X-Frame-Options" in visitor.get("/widgets").headers


def test_https_is_asked_for_where_it_is_spoken(visitor: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in visitor.get("/health").headers
    told = visitor.get("/health", base_url="https://aura.example.com").headers["Strict-Transport-Security"]
    assert int(told.removeprefix("max-age=")) >= 365 * 86_400
