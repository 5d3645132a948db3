"""What is around every page: colours, language, focus, the phone's menu, addresses that lead nowhere."""

import re
from collections.abc import Callable

import httpx
from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from tests.browser.conftest import Person
from tests.browser.looking import glance

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]


def test_the_chosen_colours_stay_and_do_not_flash(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app", new_person(), color_scheme="light")
    root = page.locator("html")
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    page.get_by_role("button", name="Account").click()
    expect(page.get_by_role("menuitemradio", name="Dark")).to_be_visible()
    glance(page, "account-1440-light")
    page.get_by_role("menuitemradio", name="Dark").click()
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
    # Before any module has run: the script in the head has set it.
    page.route("**/assets/*.js", lambda route: route.abort())
    page.reload(wait_until="commit")
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")


def test_the_language_changes_at_once_and_stays(open_page: OpenPage) -> None:
    page = open_page("/login", locale="de-DE")
    expect(page.get_by_role("button", name="Anmelden")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_role("button", name="Darstellung").click()
    page.get_by_role("menuitemradio", name="English").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_keyboard_comes_to_the_content_and_the_focus_follows_the_page(
    open_page: OpenPage, new_person: NewPerson
) -> None:
    page = open_page("/app", new_person())
    expect(page.get_by_role("heading", name="Hello, Ada")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.get_by_role("link", name="Knowledge").click()
    expect(page.get_by_role("heading", level=1, name="Knowledge")).to_be_focused()
    expect(page).to_have_title("Knowledge · AURA")


def test_a_phone_has_the_ways_behind_a_burger(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app", new_person(), viewport={"width": 375, "height": 700})
    link = page.get_by_role("link", name="Chat")
    burger = page.get_by_role("button", name="Menu")
    # Closed, it is nobody's: neither seen nor come to by the keyboard.
    expect(link).to_have_count(0)
    burger.click()
    expect(link).to_be_in_viewport()
    glance(page, "menu-375-light")
    page.keyboard.press("Escape")
    expect(link).to_have_count(0)
    burger.click()
    link.click()
    expect(page).to_have_url("/app/chat")
    expect(link).to_have_count(0)


def test_a_tab_goes_on_after_the_server_got_a_new_version(open_page: OpenPage) -> None:
    page = open_page("/login")
    gone = re.compile(r"/assets/Register-[^/]+\.js$")
    # The part that this tab asks for is no more; the page that is served now leads to others.
    page.route(gone, lambda route: route.fulfill(status=404, body=""), times=1)
    with page.expect_event("load"):
        page.get_by_role("link", name="Create account").click()
    expect(page.get_by_role("heading", level=1, name="Create your organisation")).to_have_count(1)


CANARY = "<img src=x onerror=\"window.ran='{0}'\"><script>window.ran='{0}'</script>"
RAN = "[window.ran ?? null, document.querySelectorAll('img[src=x]').length]"
LOGO = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='window.ran=1'></svg>"
PLACES = ("chat", "voice", "knowledge", "assistants", "insight", "settings/branding", "settings/people")


def test_a_script_in_a_name_is_shown_and_never_runs(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    organization, name = CANARY.format("org"), CANARY.format("name").replace(" ", "\xa0")
    person = new_person(organization, name)
    looks = {"custom_logo": LOGO, "brand_colors": {"primary": "#0f6b63"}}
    assert stack.client.patch("/api/tenant", json=looks, headers=person.headers).status_code == 422
    page = open_page("/app", person)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {name}")
    for place in PLACES:
        page.goto(f"/app/{place}")
        expect(page.get_by_role("button", name="Account")).to_contain_text(organization)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert page.evaluate(RAN) == [None, 0], place


def test_an_unknown_address_is_a_404_with_a_way_back(open_page: OpenPage, stack: Stack) -> None:
    assert stack.client.get("/nowhere", headers={"Accept": "text/html"}).status_code == 404
    page = open_page("/nowhere")
    expect(page.get_by_role("heading", level=2, name="There is nothing at this address")).to_be_visible()
    page.get_by_role("link", name="To the overview").click()
    expect(page.get_by_role("link", name="Create account")).to_be_visible()


SLIPPED_IN = """() => {
  const script = document.createElement("script");
  script.textContent = "window.ran = true";
  document.body.append(script);
  document.body.insertAdjacentHTML("beforeend", '<img src="/static/none.png" onerror="window.ran = true">');
}"""


def test_a_script_that_was_slipped_in_does_not_run(open_page: OpenPage) -> None:
    page = open_page("/login", may_say=("CSP: script-src", "Executing inline"))
    with page.expect_console_message(lambda said: "CSP: script-src-attr" in said.text):
        page.evaluate(SLIPPED_IN)
    assert page.evaluate("window.ran") is None


def test_files_are_kept_for_ever_and_pages_are_asked_for_again(stack: Stack) -> None:
    with httpx.Client(base_url=stack.url, trust_env=False) as client:
        page = client.get("/app/chat")
        assert page.headers["Cache-Control"] == "no-cache"
        assert client.get("/", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
        script = page.text.partition('src="/assets/')[2].partition('"')[0]
        asset = client.get(f"/assets/{script}", headers={"Accept-Encoding": "gzip"})
        assert asset.headers["Content-Encoding"] == "gzip"
        assert "immutable" in asset.headers["Cache-Control"]
        assert client.get("/assets/../index.html").status_code == 404
        assert client.get("/api/nowhere", headers={"Accept": "text/html"}).json()["code"] == "not_found"
