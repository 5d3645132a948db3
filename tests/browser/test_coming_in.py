"""Coming in and going out, as somebody does it who has never seen AURA."""

import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from tests.browser.conftest import PASSWORD, Person
from tests.browser.looking import look

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]


def test_signing_up_leads_to_the_overview(open_page: OpenPage) -> None:
    page = open_page("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ask your own documents")
    page.get_by_role("link", name="Create account").click()
    page.get_by_label("Name of the organisation").fill("Harbour Museum")
    page.get_by_label("Your name").fill("Ada Brandt")
    page.get_by_label("E-mail").fill(f"{secrets.token_hex(6)}@example.org")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1, name="Hello, Ada")).to_be_visible()
    expect(page).to_have_url("/app")
    page.reload()
    expect(page.get_by_role("heading", level=1, name="Hello, Ada")).to_be_visible()


def test_a_wrong_password_is_said_and_the_right_one_leads_on(open_page: OpenPage, new_person: NewPerson) -> None:
    person = new_person()
    page = open_page("/app/settings")
    expect(page).to_have_url("/login")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_role("textbox", name="Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("textbox", name="Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url("/app/settings")


def test_signing_out_ends_the_login_in_every_tab(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    person = new_person()
    page = open_page("/app", person)
    other = page.context.new_page()
    other.goto("/app/chat")
    expect(other.get_by_role("navigation")).to_be_visible()
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("link", name="Create account")).to_be_visible()
    expect(other).to_have_url("/login")
    assert stack.client.post("/api/token/refresh", json={"refresh_token": person.login["refresh_token"]}).is_error


def test_an_access_token_that_ran_out_is_renewed_in_passing(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app", new_person())
    expect(page.get_by_role("heading", name="Hello, Ada")).to_be_visible()
    before = page.evaluate(
        "(() => { const kept = JSON.parse(localStorage['aura.session']); const before = kept.refreshToken;"
        " localStorage['aura.session'] = JSON.stringify({...kept, expiresAt: 0}); return before })()"
    )
    page.reload()
    expect(page.get_by_role("heading", name="Hello, Ada")).to_be_visible()
    assert page.evaluate("JSON.parse(localStorage['aura.session']).refreshToken") != before


def test_an_invitation_leads_in_with_its_role(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    guest = {"email": f"{secrets.token_hex(6)}@example.org", "role": "user", "name": "Ben Ott"}
    invited = stack.client.post("/api/tenant/users", json=guest, headers=new_person().headers).json()
    page = open_page(f"/invitation#{invited['invitation_token']}")
    page.get_by_role("textbox", name="New password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", name="Hello, Ben")).to_be_visible()
    # What a user may not do is not offered, and its address says so.
    expect(page.get_by_role("link", name="Chat")).to_be_visible()
    expect(page.get_by_role("link", name="Assistants")).to_have_count(0)
    page.goto("/app/assistants")
    expect(page.get_by_role("heading", level=2, name="This is not open to you")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/welcome", "homepage"),
        ("/login", "login"),
        ("/register", "register"),
        ("/password-reset", "password-forgotten"),
        ("/password-reset#aura_ln_x", "password-reset"),
        ("/invitation#aura_ln_x", "invitation"),
        ("/nowhere", "not-found"),
    ],
)
def test_what_anybody_sees_looks_right(open_page: OpenPage, path: str, name: str) -> None:
    page = open_page(path)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    look(page, name)


def test_the_overview_leads_from_nothing_to_the_first_answer(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    page = open_page("/app", person)
    step = page.get_by_role("listitem")
    expect(step).to_have_count(3)
    expect(page.get_by_text("Storage")).to_be_visible()
    look(page, "overview-new")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Add documents").click()
    expect(page).to_have_url("/app/knowledge")
    files = {"file": ("tides.md", b"# Tides\n\nHigh water is at noon.\n")}
    headers = {**person.headers, "Prefer": "wait=60"}
    assert stack.client.post("/api/documents/upload", files=files, headers=headers).status_code == 200
    page.get_by_role("link", name="Overview").click()
    expect(step.first).to_contain_text("Done")
    page.get_by_role("textbox", name="Ask your documents").fill("When is high water?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article").last).to_contain_text("noon", timeout=60_000)
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("link", name="When is high water?")).to_be_visible()
    expect(step).to_have_count(0)
    look(page, "overview")
