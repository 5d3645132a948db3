"""Asking in the browser: streamed answers, their sources, files, what is kept, and what must not run."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.ephemeral import Stack, ephemeral_stack
from deploy.places import REPO
from tests.browser.conftest import Person
from tests.browser.looking import look
from tests.integration.providers.fakes import DONE, Exchange, chunk, far_end

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

HANDBOOK = REPO / "docs" / "samples" / "employee-handbook.pdf"
GUIDE = REPO / "docs" / "samples" / "visitor-guide.txt"
HOLIDAY = "How many days of paid holiday does a full-time employee have?"
TOLD = "A full-time employee has 28 days of paid holiday a year [1]."
PATIENCE_MS = 30_000
LONG_TASK_MS = 50


@dataclass
class Model:
    """What the far end's chat model says next; it waits for `go` after its first words where `pauses`."""

    says: str = TOLD
    pauses: bool = False
    go: threading.Event = field(default_factory=threading.Event)

    def reply(self, exchange: Exchange) -> None:
        words = re.findall(r"\S+\s*", self.says)
        exchange.start("text/event-stream")
        for number, word in enumerate(words):
            if self.pauses and number == 4:
                self.go.wait(20)
            exchange.piece(chunk(word))
        for piece in (chunk(finish="stop"), chunk(usage=(12, 7)), DONE):
            exchange.piece(piece)
        exchange.finish_body()


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def stack(speaking: tuple[Model, str]) -> Iterator[Stack]:
    """Yield a stack whose answers are written by a model that says what a test tells it, and no sooner."""
    settings = {"AURA_CHAT_BASE_URL": f"{speaking[1]}/v1", "AURA_CHAT_MODEL": "some-model", "AURA_ANSWER_CACHE": "0"}
    with ephemeral_stack({"AURA_SINGLE_TENANT": "0", "AURA_TRUSTED_PROXIES": "1", **settings}) as running:
        yield running


@pytest.fixture
def reader(new_person: NewPerson, stack: Stack) -> Person:
    """Return somebody whose organisation has the employee handbook."""
    person = new_person()
    keep(stack, person, HANDBOOK)
    return person


def keep(stack: Stack, person: Person, path: Path, name: str = "") -> None:
    """Upload a file and wait until it is searchable."""
    headers = {**person.headers, "Prefer": "wait=60"}
    files = {"file": (name or path.name, path.read_bytes())}
    assert stack.client.post("/api/documents/upload", files=files, headers=headers).status_code == 200


def ask(page: Page, question: str) -> None:
    page.get_by_role("textbox", name="Ask").fill(question)
    page.keyboard.press("Enter")


def answer(page: Page) -> Locator:
    return page.get_by_role("article").last


def test_a_file_is_attached_asked_about_and_its_page_opened(
    open_page: OpenPage, new_person: NewPerson, stack: Stack, model: Model
) -> None:
    person = new_person()
    page = open_page("/app/chat", person)
    page.locator("input[type=file]").first.set_input_files(HANDBOOK)
    ask(page, HOLIDAY)
    # It waits until the file is read.
    expect(answer(page)).to_contain_text("28 days", timeout=PATIENCE_MS)
    expect(page).to_have_url(re.compile(r"/app/chat/[0-9a-f-]{36}$"))
    expect(answer(page)).to_contain_text("confidence")
    with page.expect_response(lambda one: "/pages/3?citation=" in one.url and one.status == 200):
        answer(page).get_by_role("button", name="Source 1: employee-handbook.pdf, page 3").click()
    drawn = page.get_by_role("dialog").get_by_role("img", name="Page 3 of employee-handbook.pdf")
    expect(drawn).to_be_visible()
    assert drawn.evaluate("img => img.decode().then(() => img.naturalWidth)") == 1200
    look(page, "chat-source")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Bad answer").click()
    page.get_by_label("What was wrong?").fill("Which year?")
    page.get_by_role("button", name="Send", exact=True).first.click()
    expect(page.get_by_label("What was wrong?")).to_have_count(0)
    said = stack.client.get("/api/chat/feedback", headers=person.headers).json()["feedback"]
    assert [(one["rating"], one["comment"]) for one in said] == [(-1, "Which year?")]
    page.reload()
    expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    look(page, "chat")


def test_an_answer_goes_on_after_the_page_is_loaded_anew(open_page: OpenPage, reader: Person, model: Model) -> None:
    model.pauses = True
    page = open_page("/app/chat", reader)
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text("A full-time employee has", timeout=PATIENCE_MS)
    page.reload()
    expect(answer(page)).to_contain_text("A full-time employee has")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    model.go.set()
    expect(answer(page)).to_contain_text("28 days of paid holiday")
    expect(page.get_by_role("article")).to_have_count(1)


def test_an_answer_goes_on_after_the_network_was_away(open_page: OpenPage, reader: Person, model: Model) -> None:
    model.pauses = True
    page = open_page("/app/chat", reader)
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text("A full-time employee has", timeout=PATIENCE_MS)
    page.context.set_offline(True)
    expect(answer(page)).to_contain_text("The connection is gone")
    model.go.set()
    page.context.set_offline(False)
    expect(answer(page)).to_contain_text("28 days of paid holiday", timeout=PATIENCE_MS)
    expect(answer(page)).not_to_contain_text("The connection is gone")


def test_escape_stops_an_answer_and_the_question_is_asked_otherwise(
    open_page: OpenPage, reader: Person, model: Model
) -> None:
    model.pauses = True
    page = open_page("/app/chat", reader)
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text("A full-time employee has", timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    expect(answer(page)).to_contain_text("Stopped")
    model.pauses = False
    answer(page).hover()
    answer(page).get_by_role("button", name="Edit and ask again").click()
    page.get_by_role("textbox", name="Edit and ask again").fill("And of holiday?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article")).to_have_count(2)
    expect(answer(page)).to_contain_text("28 days")
    # The same question once more is another answer to it, not another question.
    answer(page).get_by_role("button", name="Answer again").click()
    expect(answer(page)).to_contain_text("2 of 2")
    expect(page.get_by_role("status").filter(has_text="The answer: A full-time")).to_have_count(1)


def test_what_is_not_known_is_taught(open_page: OpenPage, reader: Person, model: Model) -> None:
    model.says = "I don't know that: the documents do not say it."
    page = open_page("/app/chat", reader)
    ask(page, "Who won the chess tournament on the moon?")
    page.get_by_role("button", name="Teach the answer").click(timeout=PATIENCE_MS)
    look(page, "chat-teach")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("textbox", name="Answer", exact=True).fill("Nobody: it was a draw.")
    page.get_by_role("button", name="Teach and ask again").click()
    expect(answer(page)).to_contain_text("it was a draw", timeout=PATIENCE_MS)


def test_conversations_are_found_named_and_deleted(open_page: OpenPage, reader: Person, model: Model) -> None:
    page = open_page("/app/chat", reader)
    look(page, "chat-empty")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name=re.compile("employee", re.I)).first.click()
    expect(answer(page)).to_contain_text("28 days", timeout=PATIENCE_MS)
    page.get_by_role("button", name="New conversation").first.click()
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text("28 days", timeout=PATIENCE_MS)
    rows = page.get_by_role("listitem").filter(has=page.get_by_role("link"))
    expect(rows).to_have_count(2)
    page.get_by_role("searchbox", name="Search conversations").fill("paid holiday does")
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Options").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("textbox", name="Title").fill("Days off")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("searchbox", name="Search conversations").fill("days off")
    expect(rows).to_contain_text("Days off")
    rows.get_by_role("button", name="Options").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No conversation holds this")).to_be_visible()
    expect(page).to_have_url("/app/chat")


def test_nothing_of_an_answer_or_a_name_runs(
    open_page: OpenPage, new_person: NewPerson, stack: Stack, model: Model
) -> None:
    person = new_person()
    canary = "<img src=x onerror=window.ran=1><script>window.ran=1</script>"
    keep(stack, person, GUIDE, f"{canary[:32]}.txt")
    body = {"assistant_key": "canary", "name": canary, "greeting": canary, "instructions": "Answer."}
    assert stack.client.post("/api/agents", json=body, headers=person.headers).status_code == 201
    model.says = f"It opens at 8:30 [1]. {canary} [click](javascript:window.ran=1) ![x](https://evil.example/x)"
    page = open_page("/app/chat", person)
    page.locator("input[aria-label=Assistant]").click()
    page.get_by_role("option", name="<img").click()
    expect(page.get_by_role("heading", level=2, name="<img")).to_be_visible()
    ask(page, "When does the shop at Larkfield Station open in April?")
    expect(answer(page)).to_contain_text("It opens at 8:30", timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    if (source := answer(page).get_by_role("button", name="Source 1")).count():
        source.first.click()
        expect(page.get_by_role("dialog").locator("mark")).to_contain_text("8:30")
    assert page.locator("article :is(img, script, iframe)").count() == 0
    assert page.evaluate("window.ran") is None


LONG_TASKS = """() => { window.long = [];
  new PerformanceObserver((seen) => window.long.push(...seen.getEntries().map((each) => each.duration)))
    .observe({type: "longtask"}); }"""


def test_a_thousand_messages_scroll_without_jank(open_page: OpenPage, reader: Person, stack: Stack) -> None:
    conversation = said_at_length(stack, reader, 500)
    page = open_page(f"/app/chat/{conversation}", reader)
    expect(page.get_by_text("Question 499", exact=True)).to_be_visible()
    assert page.get_by_role("article").count() < 20
    page.get_by_role("region", name="Conversation", exact=True).hover()
    page.evaluate(LONG_TASKS)
    for _ in range(120):
        page.mouse.wheel(0, -900)
        page.wait_for_timeout(16)
    seen = page.get_by_role("article").first.text_content() or ""
    assert int(re.findall(r"Question (\d+)", seen)[0]) < 450
    long = page.evaluate("window.long")
    assert [each for each in long if each > LONG_TASK_MS] == []


def said_at_length(stack: Stack, person: Person, turns: int) -> str:
    """Keep a conversation of as many turns, and return its id."""
    conversation, tenant = str(uuid4()), person.login["tenant_id"]
    url = stack.runtime()["AURA_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SELECT set_config('app.tenant_id', %s, false)", (tenant,))
        opened = "INSERT INTO conversations (tenant_id, conversation_id, user_id, assistant_key, last_message_at)"
        about = (tenant, conversation, person.login["user_id"])
        database.execute(f"{opened} VALUES (%s, %s, %s, 'default-assistant', now())", about)
        database.execute(
            "INSERT INTO turns (tenant_id, conversation_id, assistant_key, spoken, stage, status, question, answer,"
            " created_at, completed_at, confirmed_at)"
            " SELECT %s, %s, 'default-assistant', false, 'generate', 'completed', 'Question ' || n,"
            " '**Answer** ' || n || repeat(E'. It is long:\\n\\n- one\\n- two\\n\\nand goes on', 1 + n %% 4),"
            " now() - (500 - n) * interval '1 min', now(), now() FROM generate_series(0, %s) AS n",
            (tenant, conversation, turns - 1),
        )
    return conversation
