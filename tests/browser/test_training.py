"""What is told and not uploaded, and what people asked in vain."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from tests.browser.conftest import Person
from tests.browser.looking import look

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

CANARY = "<img src=x onerror=window.ran=1>"


def test_pairs_and_notes_are_written_imported_changed_and_deleted(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app/knowledge/training", new_person())
    page.get_by_role("button", name="Add").first.click()
    form = page.get_by_role("dialog")
    form.get_by_label("Question").fill(f"Who founded it? {CANARY}")
    form.get_by_label("Answer").fill("Ada Brandt did.")
    form.get_by_role("button", name="Save").click()
    rows = page.get_by_role("region", name="Answers").get_by_role("listitem")
    expect(rows).to_have_count(1)
    content = b"question,answer\nWhen do you open?,At ten.\nWhere are you?,At the harbour.\n,nothing\n"
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import").click()
    chooser.value.set_files({"name": "pairs.csv", "mimeType": "text/csv", "buffer": content})
    expect(form).to_contain_text("2 would be new, 0 changed, 0 stay as they are, 1 are refused.")
    form.get_by_role("button", name="Import").click()
    expect(form).to_contain_text("2 are new")
    form.get_by_role("button", name="Close").last.click()
    expect(rows).to_have_count(3)
    rows.filter(has_text="Ada Brandt").get_by_role("button", name="Delete").click()
    form.get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(2)
    look(page, "knowledge-training")

    page.get_by_role("radio", name="Notes").press("Space")
    page.get_by_role("button", name="Add").first.click()
    form.get_by_label("Name").fill(f"Rule {CANARY}")
    form.get_by_label("Content").fill(f"Never **promise** a date. {CANARY}")
    form.get_by_role("combobox", name="Tags").fill(CANARY)
    form.get_by_role("combobox", name="Tags").press("Enter")
    form.get_by_role("button", name="Save").click()
    notes = page.get_by_role("region", name="Notes").get_by_role("listitem")
    expect(notes).to_contain_text(f"Rule {CANARY}")
    notes.get_by_role("button", name="Edit").click()
    form.get_by_label("Content").fill("Never promise a date or a price.")
    form.get_by_role("button", name="Save").click()
    expect(notes).to_contain_text("or a price")
    assert page.evaluate("window.ran") is None


def test_an_unanswered_question_is_answered_with_one_click(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    asked = {"message": "What does the lighthouse keeper earn?"}
    stack.client.post("/api/chat", json=asked, headers=person.headers, timeout=60).raise_for_status()
    page = open_page("/app/knowledge/unanswered", person)
    row = page.get_by_role("region", name="Unanswered").get_by_role("listitem")
    expect(row).to_contain_text(asked["message"])
    look(page, "knowledge-unanswered")
    row.get_by_role("button", name="Answer").click()
    page.get_by_role("textbox", name="Answer").fill("Nothing, it is an honour.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as a training pair")).to_be_visible()
    page.get_by_role("radio", name="Answered").press("Space")
    expect(row).to_contain_text(asked["message"])
    pairs = stack.client.get("/api/training/qa", headers=person.headers).json()["entries"]
    assert [pair["response"] for pair in pairs] == ["Nothing, it is an honour."]
