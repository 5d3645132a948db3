"""How the web application's files are served: which, how long they are kept, in which form, under which policy."""

import gzip
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

import api
from api import web

PAGE, SCRIPT = "<!doctype html><title>AURA</title>", "console.log(1)" * 200


@pytest.fixture(scope="module")
def app() -> Flask:
    return api.create_app()


@pytest.fixture
def client(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    for folder in ("assets", "static", "widget"):
        (tmp_path / folder).mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "assets" / "main-1a2b.js").write_text(SCRIPT)
    (tmp_path / "assets" / "main-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (tmp_path / "widget" / "widget.js").write_text(SCRIPT)
    monkeypatch.setattr(web, "DIST", tmp_path)
    return app.test_client()


@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/app", "/app/chat/7", "/admin", "/admin/tenants", "/test", "/widget", "/widget/", "/invitation"],
)
def test_every_address_of_the_application_is_its_page(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert (page.status_code, page.text) == (200, PAGE)
    assert page.headers["Cache-Control"] == "no-cache"
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert client.get(path, headers={"If-None-Match": page.headers["ETag"]}).status_code == 304


def test_the_api_keeps_its_own_addresses(client: FlaskClient) -> None:
    browser = {"Accept": "text/html,*/*"}
    for path in ("/api/nowhere", "/admin/costs", "/docs", "/openapi.json"):
        assert client.get(path, headers=browser).text != PAGE
    assert client.post("/login", json={}).content_type == "application/problem+json"
    assert client.post("/app/chat").status_code == 405


def test_an_unknown_address_is_a_page_to_a_browser_and_a_problem_to_a_program(client: FlaskClient) -> None:
    shown = client.get("/nowhere", headers={"Accept": "text/html,*/*"})
    assert (shown.status_code, shown.text) == (404, PAGE)
    assert client.get("/nowhere", headers={"Accept": "*/*"}).json["code"] == "not_found"


def test_a_named_file_is_kept_for_ever_and_sent_in_the_form_that_is_read(client: FlaskClient) -> None:
    small = client.get("/assets/main-1a2b.js", headers={"Accept-Encoding": "gzip, br"})
    assert small.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (small.headers["Content-Encoding"], small.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(small.data).decode() == SCRIPT
    plain = client.get("/assets/main-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert plain.text == SCRIPT
    assert "Content-Encoding" not in plain.headers


def test_only_files_of_the_bundle_are_served(client: FlaskClient) -> None:
    for path in ("/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/..%2findex.html", "/static/none.js"):
        assert client.get(path).status_code == 404
    assert client.get("/assets/main-1a2b.js.gz").status_code == 404


def test_another_site_may_load_the_widget_and_nothing_else(client: FlaskClient) -> None:
    assert client.get("/widget/widget.js").headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get("/assets/main-1a2b.js").headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_only_aura_itself_frames_the_page_in_which_a_widget_is_tried_out(client: FlaskClient) -> None:
    (web.DIST / "widget" / "preview.html").write_text(PAGE)
    policy = client.get("/widget/preview.html").headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy and "unsafe-inline" not in policy


def test_without_a_bundle_the_page_says_how_to_build_it(client: FlaskClient) -> None:
    (web.DIST / "index.html").unlink()
    for page in (client.get("/"), client.get("/app/chat"), client.get("/nowhere", headers={"Accept": "text/html"})):
        assert page.status_code == 503
        assert "make web" in page.text
        assert page.headers["Cache-Control"] == "no-store"
    assert client.get("/health").is_json
