"""A stack whose model says what a test tells it, somebody who knows the handbook, and the moves of a conversation."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.ephemeral import Stack, ephemeral_stack
from deploy.places import REPO
from tests.browser.conftest import Person
from tests.integration.providers.fakes import DONE, Exchange, chunk, far_end

SAMPLES = REPO / "docs" / "samples"
HANDBOOK = SAMPLES / "employee-handbook.pdf"
HOLIDAY = "How many days of paid holiday does a full-time employee have?"
TOLD = "A full-time employee has 28 days of paid holiday a year [1]."
BEGUN = "A full-time employee has"
PATIENCE_MS = 60_000
PAUSE_AFTER_WORDS = 4


@dataclass
class Model:
    """What the far end's chat model says next; it waits for `go` after its first words where `pauses`."""

    says: str = TOLD
    pauses: bool = False
    refuses: bool = False
    asked: int = 0
    go: threading.Event = field(default_factory=threading.Event)

    def reply(self, exchange: Exchange) -> None:
        self.asked += 1
        if self.refuses:
            exchange.send_json({"error": {"message": "invalid key", "code": "invalid_api_key"}}, 401)
        else:
            self._speak(exchange)

    def _speak(self, exchange: Exchange) -> None:
        words = re.findall(r"\S+\s*", self.says)
        exchange.start("text/event-stream")
        for number, word in enumerate(words):
            if self.pauses and number == PAUSE_AFTER_WORDS:
                self.go.wait(PATIENCE_MS / 1000)
            exchange.piece(chunk(word))
        for piece in (chunk(finish="stop"), chunk(usage=(12, 7)), DONE):
            exchange.piece(piece)
        exchange.finish_body()


@pytest.fixture(scope="session")
def speaking() -> Iterator[tuple[Model, str]]:
    model = Model()
    with far_end() as end:
        end.reply = model.reply
        yield model, end.url


@pytest.fixture
def model(speaking: tuple[Model, str]) -> Iterator[Model]:
    model, _ = speaking
    model.__init__()  # type: ignore[misc]
    yield model
    model.go.set()


@pytest.fixture(scope="session")
def stack(speaking: tuple[Model, str]) -> Iterator[Stack]:
    """Yield a stack whose answers are written by a model that says what a test tells it, and no sooner."""
    settings = {"AURA_CHAT_BASE_URL": f"{speaking[1]}/v1", "AURA_CHAT_MODEL": "some-model", "AURA_ANSWER_CACHE": "0"}
    with ephemeral_stack({"AURA_SINGLE_TENANT": "0", "AURA_TRUSTED_PROXIES": "1", **settings}) as running:
        yield running


@pytest.fixture
def reader(new_person: Callable[..., Person], stack: Stack) -> Person:
    """Return somebody whose organisation has the employee handbook."""
    person = new_person()
    keep(stack, person, HANDBOOK)
    return person


def keep(stack: Stack, person: Person, path: Path, name: str = "") -> None:
    """Upload a file and wait until it is searchable."""
    headers = {**person.headers, "Prefer": "wait=200"}
    files = {"file": (name or path.name, path.read_bytes())}
    assert stack.client.post("/api/documents/upload", files=files, headers=headers).status_code == 200


def ask(page: Page, question: str) -> None:
    """Ask a question, once the one before it is answered: its last word comes before its end."""
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    field = page.get_by_role("textbox", name="Ask")
    field.fill(question)
    field.press("Enter")


def answer(page: Page) -> Locator:
    return page.get_by_role("article").last
