"""The page of spoken conversations without a microphone."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Person
from tests.browser.looking import look

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

REFUSES = """() => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("Permission denied", "NotAllowedError"));
}"""


def test_who_refuses_the_microphone_is_told_how_to_allow_it(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app/voice", new_person())
    look(page, "voice")
    page.evaluate(REFUSES)
    page.get_by_role("button", name="Start talking").click()
    expect(page.get_by_role("alert")).to_contain_text("The microphone is blocked")
    look(page, "voice-refused")


def test_a_machine_without_a_microphone_is_told_so(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app/voice", new_person())
    page.evaluate(REFUSES.replace("NotAllowedError", "NotFoundError"))
    page.get_by_role("button", name="Start talking").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("No microphone was found")


def test_what_is_chosen_rarely_is_behind_a_button(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app/voice", new_person())
    page.get_by_role("button", name="Sound and assistant").click()
    expect(page.get_by_label("Assistant", exact=True).first).to_be_visible()
    expect(page.get_by_role("switch", name="Push to talk")).not_to_be_checked()
    look(page, "voice-options")
