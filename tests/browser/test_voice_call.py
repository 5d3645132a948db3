"""A spoken conversation in a real browser: a WAV is the microphone, and what is played is recorded and transcribed."""

import base64
import io
import secrets
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from deploy.ephemeral import Stack
from tests.browser import chromium
from tests.browser.conftest import PASSWORD, Person
from tests.browser.looking import SCREENSHOTS, look
from tests.browser.sites import served

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

TURN_MS = 60_000
QUESTION = "What does the harbour museum show?"
PAUSE_S = 5
RATE_HZ = 48_000
MUSEUM = (
    "The harbour museum shows three ships: the lightship Meridian from nineteen hundred and eleven, the steam tug "
    "Otter, which towed barges up the river for fifty years, and the sailing barge Concordia, which carried bricks and "
    "apples between the islands until the great flood, was raised from the mud by two hundred volunteers, lay in a "
    "shed for eleven years, and sails again every summer with a crew of pupils who learn to splice ropes, to read the "
    "tides and to cook for twenty on a stove that was built for four."
)

RECORD = """
window.heard = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to === this.context.destination && !(this instanceof ScriptProcessorNode)) {
    const recorder = this.context.createScriptProcessor(4096, 1, 1);
    window.heardHz = this.context.sampleRate;
    recorder.onaudioprocess = ({ inputBuffer }) => window.heard.push(inputBuffer.getChannelData(0).slice());
    connect.call(this, recorder);
    connect.call(recorder, to);
  }
  return connect.call(this, to, ...rest);
};
window.taken = () => {
  const pieces = window.heard.splice(0);
  const all = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  pieces.reduce((at, piece) => (all.set(piece.map((one) => one * 32767), at), at + piece.length), 0);
  const bytes = new Uint8Array(all.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return { hz: window.heardHz, pcm: btoa(text) };
};
"""
"""Keeps beside the loudspeaker what is played. `taken()` hands it out."""


HEARD_FOR_3_S = """() => window.heard.filter((piece) => piece.some((one) => Math.abs(one) > 0.02)).length * 4096
  > window.heardHz * 3"""


@pytest.fixture(scope="module")
def asks(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a WAV in which somebody asks and then is silent; Chromium plays it again and again."""
    email = f"{secrets.token_hex(6)}@example.org"
    body = {"organization_name": "Speakers", "email": email, "password": PASSWORD, "name": "Joe"}
    login = stack.client.post("/api/signup", json=body, headers={"X-Forwarded-For": "10.2.0.1"}).json()
    spoken = stack.client.post(
        "/api/voice/synthesize",
        json={"text": QUESTION, "format": "pcm16", "sample_rate_hz": RATE_HZ},
        headers={"Authorization": f"Bearer {login['access_token']}"},
    )
    spoken.raise_for_status()
    path = tmp_path_factory.mktemp("voice") / "asks.wav"
    path.write_bytes(_wav(bytes(RATE_HZ * 3) + spoken.content + bytes(RATE_HZ * 2 * PAUSE_S), RATE_HZ))
    return path


@pytest.fixture(scope="module")
def browser(playwright: Playwright, asks: Path) -> Iterator[Browser]:
    """Yield a Chromium in front of which somebody asks."""
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    arguments = [*chromium.arguments(), *fake, f"--use-file-for-fake-audio-capture={asks}"]
    running = playwright.chromium.launch(executable_path=chromium.executable(), args=arguments)
    yield running
    running.close()


@pytest.fixture
def curator(new_person: NewPerson, stack: Stack) -> Person:
    """Return the admin of an organisation that knows of ships."""
    person = new_person()
    headers = {**person.headers, "Prefer": "wait=60"}
    file = {"file": ("museum.txt", MUSEUM)}
    assert stack.client.post("/api/documents/upload", files=file, headers=headers).status_code == 200
    return person


def test_a_conversation_is_heard_answered_spoken_over_and_mended(
    open_page: OpenPage, curator: Person, stack: Stack
) -> None:
    page = open_page("/app/voice", curator)
    page.evaluate(RECORD)
    page.get_by_role("button", name="Start talking").focus()
    page.keyboard.press("Enter")
    answer = asked(page, 0)
    expect(answer).to_contain_text("lightship Meridian", timeout=TURN_MS)
    _is_spoken_over(page, answer)
    heard = page.evaluate("window.taken()")
    _talks_while_a_key_is_held(page)
    _leads_to_its_source_and_shows_what_took_time(page, page.get_by_role("log").get_by_role("article").last)
    _is_mended(page)
    page.get_by_role("button", name="End the conversation").click()
    expect(page.get_by_role("status").filter(has_text="Not connected")).to_be_visible()
    assert "museum" in _transcribed(stack, curator, heard)


def test_a_visitor_talks_on_another_site(browser: Browser, curator: Person, stack: Stack, tmp_path: Path) -> None:
    with served(tmp_path) as site, browser.new_context(locale="en-GB") as context:
        site.shows(stack, curator)
        page, frames = context.new_page(), list[str]()

        def heard(frame: str | bytes) -> None:
            frames.append(frame if isinstance(frame, str) else "")

        page.on("websocket", lambda socket: socket.on("framereceived", heard))
        page.goto(site.origin)
        page.evaluate(RECORD)
        page.get_by_role("button", name="Ask a question").click()
        page.get_by_role("button", name="Talk").click()
        expect(page.get_by_role("status")).to_contain_text("Thinking", timeout=TURN_MS)
        page.get_by_role("button", name="Turn the microphone off").click()
        expect(page.get_by_role("log")).to_contain_text("lightship Meridian", timeout=TURN_MS)
        page.wait_for_function(HEARD_FOR_3_S, timeout=TURN_MS)
        page.screenshot(path=SCREENSHOTS / "widget-call-1280-light.png")
        # Its sources come with the end of the answer.
        expect(page.get_by_role("button", name="Source 1")).to_be_visible(timeout=TURN_MS)
        page.get_by_role("button", name="End the call").click()
        expect(page.get_by_role("button", name="Talk")).to_be_visible()
    told = "".join(frames)
    assert "turn.completed" in told
    assert not [word for word in ('"cost"', "provider", "model_used", "timings", "retrieved", "quote") if word in told]


def asked(page: Page, number: int) -> Locator:
    """Return the turn of the question that was spoken, once it is written; from then on nothing is heard."""
    said = page.get_by_role("log", name="Conversation").get_by_role("article").nth(number)
    # The WAV begins anew after a while: nobody is to speak into the answer yet.
    expect(page.locator("[data-phase=thinking]")).to_be_visible(timeout=TURN_MS)
    page.get_by_role("button", name="Turn the microphone off").click()
    expect(said).to_contain_text("museum", ignore_case=True, timeout=TURN_MS)
    return said


def _is_spoken_over(page: Page, answer: Locator) -> None:
    expect(page.locator("[data-phase=speaking]")).to_be_visible(timeout=TURN_MS)
    page.wait_for_function(HEARD_FOR_3_S, timeout=TURN_MS)
    page.screenshot(path=SCREENSHOTS / "voice-speaking-1440-light.png")
    page.get_by_role("button", name="Turn the microphone on").click()
    expect(answer).to_contain_text("Interrupted", timeout=TURN_MS)


def _talks_while_a_key_is_held(page: Page) -> None:
    page.get_by_role("button", name="Sound and assistant").click()
    page.get_by_role("switch", name="Push to talk").press("Space")
    page.keyboard.press("Escape")
    turns = page.get_by_role("log").get_by_role("article")
    button = page.get_by_role("button", name="Hold to talk")
    expect(button).to_be_visible()
    before = turns.count()
    button.focus()
    page.keyboard.down("Space")
    expect(page.locator("[data-partial]").filter(has_text="museum").first).to_be_visible(timeout=TURN_MS)
    page.keyboard.up("Space")
    expect(turns.nth(before)).to_contain_text("lightship Meridian", timeout=TURN_MS)


def _leads_to_its_source_and_shows_what_took_time(page: Page, answer: Locator) -> None:
    answer.get_by_role("button", name="Source 1: museum.txt").click(timeout=TURN_MS)
    expect(page.get_by_role("dialog")).to_contain_text("steam tug Otter")
    page.keyboard.press("Escape")
    answer.get_by_text("to the first sound").click()
    expect(answer.get_by_role("list")).to_contain_text("Passages found")
    look(page, "voice-answered")


def _is_mended(page: Page) -> None:
    lost = page.get_by_role("status").filter(has_text="Connection lost")
    page.context.set_offline(True)
    expect(lost).to_be_visible()
    page.context.set_offline(False)
    expect(lost).not_to_be_visible(timeout=TURN_MS)
    expect(page.get_by_role("button", name="Hold to talk")).to_be_visible()


def _transcribed(stack: Stack, person: Person, heard: dict[str, Any]) -> str:
    file = {"file": ("heard.wav", _wav(base64.b64decode(heard["pcm"]), int(heard["hz"])))}
    answer = stack.client.post("/api/voice/transcribe", files=file, headers=person.headers)
    answer.raise_for_status()
    return str(answer.json()["text"]).lower()


def _wav(pcm: bytes, rate_hz: int) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(pcm)
    return made.getvalue()
