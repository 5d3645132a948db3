"""The widget on a page of another origin, which knows nothing of AURA but one line."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.ephemeral import Stack
from tests.browser.conftest import Person
from tests.browser.looking import look

NewPerson = Callable[..., Person]

SITE = """<!doctype html><html lang="en"><title>Harbour Museum</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src {server}; connect-src {server} {socket}">
<main><h1>Welcome to the museum</h1><p>Three ships, one harbour.</p></main>
{snippet}</html>"""
FACT = "The harbour museum opens at ten o'clock on every day but Monday."
ANSWER_MS = 60_000


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the address of another origin and the folder that it serves."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", tmp_path
    server.shutdown()
    server.server_close()


@pytest.fixture
def museum(stack: Stack, new_person: NewPerson, site: tuple[str, Path]) -> dict[str, Any]:
    """Return the widget of an organisation that knows when it opens; the site shows it."""
    headers = new_person().headers
    file = {"file": ("hours.txt", FACT)}
    stack.client.post("/api/documents/upload", files=file, headers={**headers, "Prefer": "wait=60"}).raise_for_status()
    stack.client.patch("/api/tenant", json={"brand_colors": {"primary": "#7a1f3d"}}, headers=headers).raise_for_status()
    changed = stack.client.patch(
        "/api/agents/default-assistant/widget",
        json={"is_on": True, "allowed_origins": [site[0]]},
        headers=headers,
    )
    changed.raise_for_status()
    facts: dict[str, Any] = {**changed.json(), "headers": headers}
    page = SITE.format(server=stack.url, socket=stack.url.replace("http", "ws"), snippet=facts["snippet"])
    (site[1] / "index.html").write_text(page)
    return facts


@pytest.fixture
def visited(browser: Browser, museum: dict[str, Any], site: tuple[str, Path]) -> Iterator[Page]:
    """Yield the site in a browser, the widget opened. Scripts that break fail the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    broken: list[str] = []
    context.on("weberror", lambda broke: broken.append(str(broke.error)))
    context.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
    page = context.new_page()
    page.goto(site[0])
    page.get_by_role("button", name="Ask a question").click()
    yield page
    context.close()
    assert not broken, broken


def test_a_visitor_asks_on_another_site_and_comes_back_to_the_answer(visited: Page) -> None:
    field = visited.get_by_role("textbox", name="Your question")
    expect(field).to_be_focused()
    field.fill("When does the harbour museum open?")
    field.press("Enter")
    said = visited.get_by_role("log")
    expect(said).to_contain_text("ten o'clock", timeout=ANSWER_MS)
    said.get_by_role("button", name="Source 1").click()
    expect(said).to_contain_text("hours.txt")
    look(visited, "widget")
    visited.reload()
    visited.get_by_role("button", name="Ask a question").click()
    expect(visited.get_by_role("log")).to_contain_text("ten o'clock")
    visited.keyboard.press("Escape")
    expect(visited.get_by_role("button", name="Ask a question")).to_be_focused()


def test_voice_is_loaded_when_somebody_talks(visited: Page) -> None:
    loaded: list[str] = []
    visited.on("request", lambda request: loaded.append(request.url))
    visited.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = "
        "() => Promise.reject(new DOMException('no', 'NotAllowedError')); }"
    )
    visited.get_by_role("button", name="Talk").click()
    expect(visited.get_by_role("log")).to_contain_text("The microphone is blocked")
    assert any(url.endswith("/widget/voice.js") for url in loaded)


def test_a_site_that_is_not_named_gets_no_answer(
    stack: Stack, visited: Page, museum: dict[str, Any], site: tuple[str, Path]
) -> None:
    change = {"allowed_origins": ["https://other.example"]}
    stack.client.patch("/api/agents/default-assistant/widget", json=change, headers=museum["headers"])
    visited.evaluate("sessionStorage.clear()")
    visited.reload()
    visited.get_by_role("button", name="Ask a question").click()
    expect(visited.get_by_role("log")).to_contain_text("This site may not show the widget")
