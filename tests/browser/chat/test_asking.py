"""Asking in the browser: from signing up to the page an answer stands on, what is asked otherwise, what is kept."""

import base64
import io
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import pypdfium2
from PIL import Image, ImageChops
from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from tests.browser.chat.conftest import BEGUN, HANDBOOK, HOLIDAY, PATIENCE_MS, SAMPLES, Model, answer, ask
from tests.browser.conftest import DESKTOP, PASSWORD, Person
from tests.browser.looking import look

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

FILES = (HANDBOOK, SAMPLES / "price-list.pdf", SAMPLES / "visitor-guide.txt")
WIDTH_PX = 1200

MOVED = """(files) => {
  const moved = new DataTransfer();
  for (const [name, content] of files)
    moved.items.add(new File([Uint8Array.from(atob(content), (each) => each.charCodeAt(0))], name));
  return moved;
}"""

PICTURE = """async (img) => {
  await img.decode();
  const canvas = Object.assign(document.createElement("canvas"), {width: img.naturalWidth, height: img.naturalHeight});
  canvas.getContext("2d").drawImage(img, 0, 0);
  return canvas.toDataURL("image/png");
}"""


def drop(page: Page, files: Sequence[Path]) -> None:
    """Drag files from outside over the page, and drop them where it says so."""
    contents = [(file.name, base64.b64encode(file.read_bytes()).decode()) for file in files]
    moved = {"dataTransfer": page.evaluate_handle(MOVED, contents)}
    page.dispatch_event("body", "dragenter", moved)
    target = page.get_by_text("Drop files to ask about them")
    expect(target).to_be_visible()
    target.dispatch_event("drop", moved)


def sign_up(page: Page) -> None:
    page.get_by_role("link", name="Create account").click()
    page.get_by_label("Name of the organisation").fill("Harbour Museum")
    page.get_by_label("Your name").fill("Ada Brandt")
    page.get_by_label("E-mail").fill(f"{secrets.token_hex(6)}@example.org")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Create").click()
    page.get_by_role("navigation").get_by_role("link", name="Chat").click()


def test_from_signing_up_to_the_page_that_an_answer_stands_on(open_page: OpenPage, stack: Stack, model: Model) -> None:
    page = open_page("/")
    sign_up(page)
    expect(page.get_by_text("There are no documents yet to answer from")).to_be_visible()
    drop(page, FILES)
    files = page.get_by_role("list", name="Files of this question").get_by_role("listitem")
    expect(files).to_have_count(3)
    expect(files.get_by_role("progressbar").first).to_be_attached()
    # It is asked before they are read, and waits until they are: the first of a stack's documents takes its time.
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text("28 days", timeout=2 * PATIENCE_MS)
    expect(page).to_have_url(re.compile(r"/app/chat/[0-9a-f-]{36}$"))
    expect(answer(page).get_by_role("list", name="Files of this question").get_by_role("listitem")).to_have_count(3)
    expect(answer(page)).to_contain_text("confidence")
    with page.expect_response(lambda one: "/pages/3?citation=" in one.url) as asked:
        answer(page).get_by_role("button", name="Source 1: employee-handbook.pdf, page 3").click()
    drawn = page.get_by_role("dialog").get_by_role("img", name="Page 3 of employee-handbook.pdf")
    expect(drawn).to_be_visible()
    shown = base64.b64decode(drawn.evaluate(PICTURE).partition(",")[2])
    headers = {"Authorization": page.evaluate("'Bearer ' + JSON.parse(localStorage['aura.session']).accessToken")}
    bare = stack.client.get(asked.value.url.split("?")[0], params={"width": WIDTH_PX}, headers=headers)
    bare.raise_for_status()
    assert_boxed(shown, bare.content)
    look(page, "chat-source")
    page.set_viewport_size(DESKTOP)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Bad answer").click()
    page.get_by_label("What was wrong?").fill("Which year?")
    page.get_by_role("dialog", name="What you think of the answer").get_by_role("button", name="Send").click()
    expect(page.get_by_label("What was wrong?")).to_have_count(0)
    said = stack.client.get("/api/chat/feedback", headers=headers).json()["feedback"]
    assert [(one["rating"], one["comment"]) for one in said] == [(-1, "Which year?")]
    page.reload()
    expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    expect(answer(page).get_by_role("list", name="Files of this question").get_by_role("listitem")).to_have_count(3)


def assert_boxed(marked: bytes, bare: bytes) -> None:
    """Assert that what is marked on the page is where the handbook says how much holiday there is, and little else."""
    pictures = [Image.open(io.BytesIO(one)).convert("RGB") for one in (marked, bare)]
    assert [one.width for one in pictures] == [WIDTH_PX, WIDTH_PX]
    box = ImageChops.difference(*pictures).getbbox()
    assert box is not None, "nothing is marked"
    page = pypdfium2.PdfDocument(HANDBOOK)[2]
    words = page.get_textpage()
    left, bottom, right, top = words.get_rect(words.count_rects(*words.search("28 days").get_next()) - 1)
    scale = WIDTH_PX / page.get_width()
    there = (left * scale, (page.get_height() - top) * scale, right * scale, (page.get_height() - bottom) * scale)
    assert box[0] <= there[0] and box[1] <= there[1] and box[2] >= there[2] and box[3] >= there[3], (box, there)
    assert box[3] - box[1] < 0.15 * pictures[0].height, box


def test_escape_stops_an_answer_and_the_question_is_asked_otherwise(
    open_page: OpenPage, reader: Person, model: Model
) -> None:
    model.pauses = True
    page = open_page("/app/chat", reader)
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text(BEGUN, timeout=PATIENCE_MS)
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


def test_a_question_waits_for_the_answer_before_it_and_a_draft_for_its_writer(
    open_page: OpenPage, reader: Person, model: Model
) -> None:
    model.pauses = True
    page = open_page("/app/chat", reader)
    field = page.get_by_role("textbox", name="Ask")
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text(BEGUN, timeout=PATIENCE_MS)
    field.fill("And how many of them may be carried over?")
    field.press("Enter")
    expect(page.get_by_role("status").filter(has_text="as soon as this answer is written")).to_have_count(1)
    expect(page.get_by_role("article")).to_have_count(1)
    model.go.set()
    expect(page.get_by_role("article")).to_have_count(2)
    expect(answer(page)).to_contain_text("28 days", timeout=PATIENCE_MS)
    expect(field).to_have_value("")
    # Who presses Enter again does not wait.
    model.go.clear()
    ask(page, "How long is the notice?")
    expect(answer(page)).to_contain_text(BEGUN, timeout=PATIENCE_MS)
    field.fill("How long is the notice in the first month?")
    field.press("Enter")
    field.press("Enter")
    expect(page.get_by_role("article")).to_have_count(4)
    expect(page.get_by_role("article").nth(2)).to_contain_text("Stopped")
    model.go.set()
    expect(answer(page)).to_contain_text("28 days", timeout=PATIENCE_MS)
    field.fill("What I was about to ask")
    page.reload()
    expect(field).to_have_value("What I was about to ask")
    page.get_by_role("button", name="New conversation").click()
    expect(field).to_have_value("")
    page.go_back()
    expect(field).to_have_value("What I was about to ask")


def test_what_is_not_known_is_taught(open_page: OpenPage, reader: Person, model: Model) -> None:
    model.says = "I don't know that: the documents do not say it."
    page = open_page("/app/chat", reader)
    ask(page, "Who won the chess tournament on the moon?")
    page.get_by_role("button", name="Teach the answer").click(timeout=PATIENCE_MS)
    page.get_by_role("textbox", name="Answer", exact=True).fill("Nobody: it was a draw.")
    page.get_by_role("button", name="Teach and ask again").click()
    expect(answer(page)).to_contain_text("it was a draw", timeout=PATIENCE_MS)


def test_conversations_are_found_named_and_deleted(
    open_page: OpenPage, reader: Person, stack: Stack, model: Model
) -> None:
    other = {"assistant_key": "porter", "name": "The porter", "instructions": "Answer.", "greeting": "Good day!"}
    assert stack.client.post("/api/agents", json=other, headers=reader.headers).status_code == 201
    page = open_page("/app/chat", reader)
    page.get_by_role("button", name=re.compile("employee", re.I)).first.click()
    expect(answer(page)).to_contain_text("28 days", timeout=PATIENCE_MS)
    page.get_by_role("button", name="New conversation").first.click()
    page.locator("input[aria-label=Assistant]").click()
    page.get_by_role("option", name="The porter").click()
    expect(page.get_by_role("heading", name="Good day!")).to_be_visible()
    look(page, "chat-empty")
    page.set_viewport_size(DESKTOP)
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text("28 days", timeout=PATIENCE_MS)
    rows = page.get_by_role("listitem").filter(has=page.get_by_role("link"))
    expect(rows).to_have_count(2)
    # Each conversation goes on with whom it was begun.
    chosen = page.locator("input[aria-label=Assistant]")
    rows.last.get_by_role("link").click()
    expect(chosen).not_to_have_value("The porter")
    rows.first.get_by_role("link").click()
    expect(chosen).to_have_value("The porter")
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
