"""Two organisations in two browsers, at the same time and one after the other: neither sees anything of the other."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from tests.browser.conftest import Person

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

QUESTION = "Where does the key to the cellar hang?"
ANSWERED_WITHIN_MS = 60_000
KEYS = ("behind the walrus", "beside the oven")
NAMES = ("harbour-keys.md", "bakery-keys.md")


def keep(stack: Stack, person: Person, name: str, text: str) -> str:
    """Upload a text, wait until it is searchable, and return its document's id."""
    headers = {**person.headers, "Prefer": "wait=60"}
    answer = stack.client.post("/api/documents/upload", files={"file": (name, text.encode())}, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["document"]["id"])


def ask(page: Page) -> None:
    page.get_by_role("textbox", name="Ask your documents").fill(QUESTION)
    page.get_by_role("button", name="Ask").click()


def test_two_organisations_in_two_browsers_never_see_each_others(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    people = new_person("Harbour Museum", "Ada Brandt"), new_person("Mill Bakery", "Ben Ott")
    documents = [
        keep(stack, person, name, f"# Keys\n\nThe key to the cellar hangs {key}.\n")
        for person, name, key in zip(people, NAMES, KEYS, strict=True)
    ]
    pages = [open_page("/app", person) for person in people]

    def neither_sees(page: Page, own: int) -> None:
        other = people[1 - own]
        for foreign in (KEYS[1 - own], NAMES[1 - own], other.email, other.organization):
            assert foreign not in page.content(), f"{page.url} shows {foreign}"

    for page in pages:
        ask(page)
    for own, page in enumerate(pages):
        expect(page.get_by_role("article").last).to_contain_text(KEYS[own], timeout=ANSWERED_WITHIN_MS)
        expect(page).to_have_url(re.compile(r"/app/chat/[0-9a-f-]{36}$"))
        neither_sees(page, own)
    conversations = [page.url for page in pages]

    for own, page in enumerate(pages):
        page.get_by_role("link", name="Knowledge").click()
        expect(page.get_by_text(NAMES[own])).to_be_visible()
        neither_sees(page, own)
    # What comes in while both look on is shown to one of them.
    keep(stack, people[0], "harbour-tides.md", "# Tides\n\nHigh water is at noon.\n")
    expect(pages[0].get_by_text("harbour-tides.md")).to_be_visible()
    keep(stack, people[1], "bakery-loaves.md", "# Loaves\n\nRye on Mondays.\n")
    expect(pages[1].get_by_text("bakery-loaves.md")).to_be_visible()
    expect(pages[1].get_by_text("harbour-tides.md")).to_have_count(0)
    expect(pages[0].get_by_text("bakery-loaves.md")).to_have_count(0)

    for own, page in enumerate(pages):
        page.goto("/app/settings/people")
        expect(page.get_by_text(people[own].email).first).to_be_visible()
        neither_sees(page, own)

    # The other's addresses lead nowhere.
    for own, page in enumerate(pages):
        for address in (conversations[1 - own], f"/app/knowledge/documents/{documents[1 - own]}"):
            page.goto(address)
            expect(page.get_by_role("alert")).to_be_visible()
            neither_sees(page, own)


def test_who_signs_in_after_another_finds_nothing_of_theirs(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    before, after = new_person("Harbour Museum", "Ada Brandt"), new_person("Mill Bakery", "Ben Ott")
    keep(stack, before, NAMES[0], f"# Keys\n\nThe key to the cellar hangs {KEYS[0]}.\n")
    page = open_page("/app", before)
    ask(page)
    expect(page.get_by_role("article").last).to_contain_text(KEYS[0], timeout=ANSWERED_WITHIN_MS)
    page.get_by_role("link", name="Knowledge").click()
    expect(page.get_by_text(NAMES[0])).to_be_visible()
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail").fill(after.email)
    page.get_by_role("textbox", name="Password").fill(after.password)
    # Not one moment, either: what was read for another would be shown before it is read anew.
    page.evaluate(WATCH_FOR, [KEYS[0], NAMES[0], before.email, QUESTION])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Hello, Ben")).to_be_visible()
    for way, shown in (("Knowledge", "Drop files or folders here"), ("Chat", "There are no documents yet")):
        page.get_by_role("link", name=way).click()
        expect(page.get_by_text(shown)).to_be_visible()
    assert page.evaluate("window.seen") == []


WATCH_FOR = """(words) => {
  window.seen = [];
  const look = () => window.seen.push(...words.filter((word) => document.body.innerText.includes(word)));
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
