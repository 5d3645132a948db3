"""Assistants as somebody sets one up who writes no code, with the test of it beside the form."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from tests.browser.conftest import Person
from tests.browser.dropping import CANARY, uploaded
from tests.browser.looking import look

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

ANSWER_MS = 60_000


def test_an_assistant_is_made_tried_changed_and_deleted(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    uploaded(stack, person, "hours.md", f"# Hours\n\nThe museum opens at ten and closes at five. {CANARY}")
    page = open_page("/app/assistants", person)
    page.get_by_role("button", name="New assistant").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Receptionist").click()
    form.get_by_label("Name").fill(f"Front desk {CANARY}")
    expect(form.get_by_label("Key")).to_have_value("front-desk-img-src-x-onerror-window-ran-1")
    form.get_by_label("Key").fill("front-desk")
    form.get_by_role("button", name="Create").click()
    expect(page).to_have_url("/app/assistants/front-desk")
    expect(page.get_by_label("Instructions")).to_contain_text("receptionist")
    look(page, "assistant")

    said = page.get_by_role("log")
    page.get_by_role("textbox", name="Question").fill("When does the museum open?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(said).to_contain_text("ten", timeout=ANSWER_MS)

    page.get_by_label("Greeting").fill("Ahoy!")
    expect(said).to_contain_text("Ahoy!")
    expect(page.get_by_role("button", name="Save and ask")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("All is saved.")).to_be_visible()
    kept = stack.client.get("/api/agents/front-desk", headers=person.headers).json()
    assert (kept["greeting"], kept["revision"]) == ("Ahoy!", 2)

    page.get_by_label("Greeting").fill("Good day!")
    page.get_by_role("link", name="All assistants").click()
    expect(page.get_by_role("heading", name="Leave without saving?")).to_be_visible()
    page.get_by_role("button", name="Stay").click()
    page.get_by_role("button", name="Undo changes").click()

    page.get_by_role("switch", name="Active").press("Space")
    expect(said).to_contain_text("An inactive assistant cannot be asked.")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url("/app/assistants")
    expect(page.get_by_text("front-desk")).to_have_count(0)
    look(page, "assistants")
    assert page.evaluate("window.ran") is None


def test_what_somebody_else_changed_meanwhile_is_not_lost(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    page = open_page("/app/assistants/default-assistant", person)
    page.get_by_label("Greeting").fill("Mine")
    body = {"greeting": "Theirs"}
    stack.client.patch("/api/agents/default-assistant", json=body, headers=person.headers).raise_for_status()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Somebody else has changed this assistant")).to_be_visible()
    assert stack.client.get("/api/agents/default-assistant", headers=person.headers).json()["greeting"] == "Theirs"


def test_its_voice_knowledge_models_and_sites_are_set(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    person = new_person()
    text = {"text": "# Hours\n\nThe museum opens at ten.", "title": f"Hours {CANARY}"}
    stack.client.post("/api/knowledge/ingest", json=text, headers=person.headers).raise_for_status()
    page = open_page("/app/assistants/default-assistant", person)
    page.get_by_role("tab", name="Voice").click()
    page.get_by_role("slider", name="Speed").press("ArrowRight")
    page.get_by_role("switch", name="Fill a long silence").press("Space")
    look(page, "assistant-voice")
    page.get_by_role("tab", name="Knowledge").click()
    tags = page.get_by_role("combobox", name="Documents with one of these tags")
    tags.fill("hr")
    tags.press("Enter")
    page.get_by_role("combobox", name="Only these documents").click()
    page.get_by_role("option", name="Hours").click()
    page.keyboard.press("Escape")
    look(page, "assistant-knowledge")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("All is saved.")).to_be_visible()
    kept = stack.client.get("/api/agents/default-assistant", headers=person.headers).json()
    assert (kept["voice_speed"], kept["filler_after_ms"]) == (1.05, 1_200)
    assert (kept["knowledge_filter"]["tags"], len(kept["knowledge_filter"]["doc_ids"])) == (["hr"], 1)
    page.get_by_role("tab", name="Models").click()
    look(page, "assistant-models")

    page.get_by_role("tab", name="Your site").click()
    sites = page.get_by_role("combobox", name="Sites that may show it")
    sites.fill("two words")
    sites.press("Enter")
    expect(page.get_by_text("This is no address of a site: two words")).to_be_visible()
    page.get_by_role("switch", name="Show it on other sites").press("Space")
    expect(page.get_by_text("No site may show it yet")).to_be_visible()
    sites.fill("www.example.com/shop")
    sites.press("Enter")
    expect(page.get_by_text("https://www.example.com", exact=True)).to_be_visible()
    line = page.get_by_text("data-widget=")
    expect(line).to_contain_text("/widget/widget.js")
    before = line.text_content()
    page.get_by_role("button", name="New id").click()
    page.get_by_role("dialog").get_by_role("button", name="New id").click()
    expect(line).not_to_have_text(str(before))
    widget = stack.client.get("/api/agents/default-assistant/widget", headers=person.headers).json()
    assert (widget["is_on"], widget["allowed_origins"]) == (True, ["https://www.example.com"])
    look(page, "assistant-site")
    assert page.evaluate("window.ran") is None
