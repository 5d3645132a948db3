"""The widget on a page of another origin, which knows nothing of AURA but one line, and the page that gives it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from deploy.ephemeral import Stack
from tests.browser.conftest import Person
from tests.browser.looking import look
from tests.browser.sites import WIDGET, Site, served

NewPerson = Callable[..., Person]
OpenPage = Callable[..., Page]

CANARY = "<img src=x onerror='window.canary=1'><script>window.canary=1</script>"
FACT = "The harbour museum opens at ten o'clock on every day but Monday."
LOGO = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ASSISTANT = "/api/agents/default-assistant"
ANSWER_MS = 60_000
REFUSES = """() => { navigator.mediaDevices.getUserMedia =
  () => Promise.reject(new DOMException("no", "NotAllowedError")); }"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path) as site:
        yield site


@pytest.fixture
def museum(stack: Stack, new_person: NewPerson, site: Site) -> Person:
    """Return the admin of an organisation that knows when it opens; its every name is an attack. The site shows it."""
    person = new_person(f"Museum {CANARY}")
    file = {"file": ("hours.txt", FACT)}
    upload = stack.client.post("/api/documents/upload", files=file, headers={**person.headers, "Prefer": "wait=60"})
    assert upload.status_code == 200, "It is not searchable yet."
    looks = {"brand_colors": {"primary": "#7a1f3d"}, "custom_logo": LOGO}
    stack.client.patch("/api/tenant", json=looks, headers=person.headers).raise_for_status()
    names = {"name": f"Ada {CANARY}", "greeting": f"Welcome {CANARY}"}
    stack.client.patch(ASSISTANT, json=names, headers=person.headers).raise_for_status()
    site.shows(stack, person)
    return person


@pytest.fixture
def visited(browser: Browser, museum: Person, site: Site) -> Iterator[Page]:
    """Yield the site in a browser, the widget opened. Scripts that break or come from elsewhere fail the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    broken: list[str] = []
    context.on("weberror", lambda broke: broken.append(str(broke.error)))
    context.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
    page = context.new_page()
    page.goto(site.origin)
    page.get_by_role("button", name="Ask a question").click()
    yield page
    context.close()
    assert not broken, broken


def test_a_visitor_asks_on_another_site_and_nothing_of_it_becomes_markup(visited: Page) -> None:
    field = visited.get_by_role("textbox", name="Your question")
    expect(field).to_be_focused()
    said = visited.get_by_role("log")
    expect(said).to_contain_text(f"Welcome {CANARY}")
    expect(visited.get_by_role("dialog", name="Ada <img")).to_be_visible()
    field.fill("When does the harbour museum open?")
    field.press("Enter")
    expect(said).to_contain_text("opens at ten o'clock", timeout=ANSWER_MS)
    said.get_by_role("button", name="Source 1").click()
    expect(said).to_contain_text("hours.txt")
    _an_answer_is_hostile(visited)
    look(visited, "widget")
    visited.reload()
    visited.get_by_role("button", name="Ask a question").click()
    expect(visited.get_by_role("log")).to_contain_text("ten o'clock")
    assert visited.evaluate("window.canary") is None
    _talking_is_loaded_when_wanted(visited)
    visited.keyboard.press("Escape")
    expect(visited.get_by_role("button", name="Ask a question")).to_be_focused()


def _an_answer_is_hostile(visited: Page) -> None:
    """Ask what is answered with markup, as a document or a model could be brought to."""
    cited = {"number": 1, "filename": CANARY, "page": 2, "heading_path": [CANARY]}
    told = {"type": "turn.completed", "response": f"Sailors [1] did. {CANARY}", "citations": [cited]}
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/event-stream"}
    body = f"event: turn.completed\ndata: {json.dumps(told)}\n\n"
    visited.route("**/api/widget/chat", lambda route: route.fulfill(status=200, headers=headers, body=body))
    field, said = visited.get_by_role("textbox", name="Your question"), visited.get_by_role("log")
    field.fill(f"Who built it? {CANARY}")
    field.press("Enter")
    expect(said).to_contain_text(f"did. {CANARY}")
    said.get_by_role("button", name="Source 1").last.click()
    expect(said).to_contain_text(f"{CANARY} · page 2")


def _talking_is_loaded_when_wanted(visited: Page) -> None:
    loaded: list[str] = []
    visited.on("request", lambda request: loaded.append(request.url))
    visited.evaluate(REFUSES)
    visited.get_by_role("button", name="Talk").click()
    expect(visited.get_by_role("log")).to_contain_text("The microphone is blocked")
    assert any(url.endswith("/widget/voice.js") for url in loaded)


def test_a_site_that_is_not_named_gets_no_answer(stack: Stack, visited: Page, museum: Person) -> None:
    expect(visited.get_by_role("log")).to_contain_text("Welcome")
    change = {"allowed_origins": ["https://other.example"]}
    stack.client.patch(WIDGET, json=change, headers=museum.headers).raise_for_status()
    visited.evaluate("sessionStorage.clear()")
    visited.reload()
    visited.get_by_role("button", name="Ask a question").click()
    expect(visited.get_by_role("log")).to_contain_text("This site may not show the widget")


def test_whoever_sets_it_up_copies_its_line_and_tries_it_out(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    colours = {"brand_colors": {"primary": "#7a1f3d"}}
    stack.client.patch("/api/tenant", json=colours, headers=person.headers).raise_for_status()
    page = open_page("/widget/", person)
    expect(page.get_by_text("Not turned on")).to_be_visible()
    page.get_by_role("switch", name="Show it on other sites").press("Space")
    page.get_by_role("radiogroup", name="Side").get_by_text("Left").click()
    page.get_by_label("Language", exact=True).first.click()
    page.get_by_role("option", name="Deutsch").click()
    expect(page.locator("pre")).to_contain_text('data-side="left" data-language="de" async></script>')
    preview = page.frame_locator("iframe")
    preview.get_by_role("button", name="Frage stellen").click()
    expect(preview.get_by_role("log")).not_to_be_empty()
    look(page, "widget-page")


def test_a_visitors_token_opens_nothing_else(stack: Stack, museum: Person, site: Site) -> None:
    visit = f"/api/widget/{site.shows(stack, museum)}/visits"
    token = stack.client.post(visit, headers={"Origin": site.origin}).json()["token"]
    headers = {"Authorization": f"Bearer {token}", "Origin": site.origin}
    answer = stack.client.post("/api/widget/chat", json={"message": "When does the museum open?"}, headers=headers)
    assert answer.status_code == 200
    told = _events(answer.text)
    assert set(told[-1]) == {"id", "type", "at", "turn_id", "conversation_id", "session_id", "response", "citations"}
    assert set(told[-1]["citations"][0]) == {"number", "filename", "page", "heading_path"}
    assert {each["type"] for each in told} <= {"turn.started", "turn.token", "turn.sentence", "turn.completed"}
    assert stack.client.post("/api/ticket", headers=headers).status_code == 403
    conversation = told[-1]["conversation_id"]
    # One that was let in by AURA's own page: there the origin is no hindrance.
    own = stack.client.post(visit, headers={"Origin": stack.url}).json()["token"]
    for path in ("/ws/events", "/ws/voice/continuous"):
        _is_shut(stack, path, own, stack.url, conversation)
        _is_shut(stack, path, token, site.origin, conversation)
    _is_shut(stack, "/ws/voice/widget", own, stack.url, conversation)
    _is_shut(stack, "/ws/voice/widget", token, "https://evil.example", conversation)


def _events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


def _is_shut(stack: Stack, path: str, token: str, origin: str, conversation: str) -> None:
    """Raise AssertionError where a socket tells a visitor anything but that it is none of theirs."""
    begins = {"type": "start", "token": token, "conversation_id": conversation, "after": "0"}
    try:
        with connect(stack.url.replace("http", "ws") + path, additional_headers={"Origin": origin}) as socket:
            socket.send(json.dumps(begins))
            said = json.loads(socket.recv(10))
    except (ConnectionClosed, InvalidStatus):
        return
    assert (said["type"], said["code"]) in (("error", "forbidden"), ("error", "not_found")), said
