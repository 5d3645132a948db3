"""The page of spoken conversations without a microphone."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Person
from tests.browser.looking import look

FAILS = """(name) => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("Permission denied", name));
}"""


def test_who_cannot_be_heard_is_told_what_to_do(
    open_page: Callable[..., Page], new_person: Callable[..., Person]
) -> None:
    page = open_page("/app/voice", new_person(), viewport={"width": 375, "height": 740})
    expect(page.get_by_text("Nothing said yet")).to_be_visible()
    # On a phone the button is what one sees first.
    assert page.evaluate("scrollY") == 0
    page.get_by_role("button", name="Sound and assistant").click()
    expect(page.get_by_label("Assistant", exact=True).first).to_be_visible()
    expect(page.get_by_role("switch", name="Push to talk")).not_to_be_checked()
    page.keyboard.press("Escape")
    page.evaluate(FAILS, "NotFoundError")
    page.get_by_role("button", name="Start talking").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("No microphone was found")
    page.evaluate(FAILS, "NotAllowedError")
    page.get_by_role("button", name="Start talking").click()
    expect(page.get_by_role("alert")).to_contain_text("The microphone is blocked")
    look(page, "voice-refused")
