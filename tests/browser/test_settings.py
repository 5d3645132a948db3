"""Settings, as somebody uses them who has some: of themselves, and of the organisation."""

import base64
import secrets
from collections.abc import Callable

from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack, wait_until
from tests.browser.conftest import PASSWORD, Person
from tests.browser.looking import grave_faults, look
from tests.integration.providers import fakes
from tests.integration.providers.fakes import FarEnd
from tests.integration.webhooks.receiver import Conversation, Taken, listening

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

WORK_MS = 30_000
"""For what a worker does, on a machine with more to do."""

CANARY = "<img src=x onerror=\"window.ran='{}'\"><script>window.ran='{}'</script>"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MAY = """async () => {
  const kept = JSON.parse(localStorage.getItem("aura.session"));
  if (!kept) return [];
  const answer = await fetch("/api/me", {headers: {Authorization: `Bearer ${kept.accessToken}`}});
  return answer.ok ? (await answer.json()).permissions : [];
}"""


def marked(where: str) -> str:
    """Return a name that runs as a script wherever it is taken for markup."""
    return CANARY.format(where, where)


def chats_only(exchange: fakes.Exchange) -> None:
    """Answer what is asked in writing; nothing is spoken."""
    (fakes.answer("Yes.") if "chat" in exchange.asked.path else fakes.failure(403))(exchange)


def until_not_allowed(page: Page, permission: str) -> None:
    """Wait until somebody may not do something any more, which takes two seconds at most, and open the page anew."""
    wait_until(lambda: permission not in page.evaluate(MAY), 20, f"{permission} is not allowed")
    page.reload()


def confirm(page: Page, button: str) -> None:
    """Say yes to what is asked."""
    page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()


def settings(page: Page, path: str) -> None:
    """Go to a page of the settings by the way that leads there."""
    page.get_by_role("navigation", name="Settings").get_by_role("link", name=path, exact=True).click()
    expect(page.get_by_role("heading", level=2).first).to_be_visible()


def test_a_user_sets_a_tone_and_sees_changes_and_forgets_what_is_remembered(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    page = open_page("/app/settings", person)
    example = page.get_by_test_id("example")
    expect(example).to_contain_text("You can return an order")
    page.get_by_role("slider", name="Detail").press("Home")
    expect(example).to_have_text("Here is what the terms say: 30 days. Let me know if you need more.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("slider", name="Detail")).to_have_attribute("aria-valuenow", "0")
    look(page, "settings-tone")

    settings(page, "Memory")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("textbox", name="What", exact=True).fill("name")
    page.get_by_label("Value").fill("Ada")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Edit: name").click()
    page.get_by_label("Value").fill("Countess")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Countess")).to_be_visible()
    page.get_by_role("switch", name="Learn from what I say").press("Space")
    expect(page.get_by_role("switch", name="Learn from what I say")).to_be_checked()
    look(page, "settings-memory")
    page.get_by_role("button", name="Forget: name").click()
    expect(page.get_by_text("Countess")).to_have_count(0)
    page.get_by_role("button", name="Forget me").click()
    confirm(page, "Forget everything")
    expect(page.get_by_text("All of it is deleted")).to_be_visible()
    kept = stack.client.get("/api/memory/preferences", headers=person.headers).json()
    assert kept["preferences"] == []

    settings(page, "Account")
    page.get_by_role("textbox", name="Name", exact=True).fill("Ada King")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_text("This device")).to_be_visible()
    look(page, "settings-account")
    settings(page, "Voice and privacy")
    expect(page.get_by_text("Nothing is recorded of you")).to_be_visible()
    look(page, "settings-privacy")


def test_somebody_is_invited_comes_in_with_a_role_and_is_kept_out_again(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    email = f"grace-{secrets.token_hex(4)}@example.org"
    page = open_page("/app/settings/people", new_person())
    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Role").select_option("Manager")
    page.get_by_role("button", name="Send invitation").click()
    link = page.get_by_test_id("secret").inner_text()
    look(page, "settings-people")

    guest = open_page(link)
    menu = guest.get_by_role("navigation", name="Menu")
    guest.get_by_role("textbox", name="Password").fill(PASSWORD)
    guest.get_by_role("button", name="Join").click()
    expect(menu.get_by_role("link", name="Insight")).to_be_visible()
    expect(menu.get_by_role("link", name="Administration")).to_have_count(0)

    page.get_by_role("button", name=f"Edit: {email}").click()
    page.get_by_label("Role").select_option("User")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    until_not_allowed(guest, "analytics:read")
    expect(menu.get_by_role("link", name="Knowledge")).to_be_visible()
    expect(menu.get_by_role("link", name="Insight")).to_have_count(0)

    page.get_by_role("button", name="Deactivate").click()
    confirm(page, "Deactivate")
    expect(page.get_by_role("button", name="Activate", exact=True)).to_be_visible()
    until_not_allowed(guest, "chat")
    expect(guest.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_api_key_is_shown_once_and_works_until_it_is_revoked(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    page = open_page("/app/settings/keys", new_person())
    page.get_by_role("button", name="Create a key").click()
    page.get_by_label("Name").fill("CRM")
    page.get_by_role("button", name="Create", exact=True).click()
    key = page.get_by_test_id("secret").inner_text()
    headers = {"Authorization": f"Bearer {key}"}
    assert stack.client.get("/api/documents", headers=headers).status_code == 200
    assert stack.client.get("/api/tenant/keys", headers=headers).status_code == 403
    look(page, "settings-keys")
    page.reload()
    expect(page.get_by_text("CRM")).to_be_visible()
    expect(page.get_by_test_id("secret")).to_have_count(0)
    assert key not in page.content()
    page.get_by_role("button", name="Revoke").click()
    confirm(page, "Revoke")
    expect(page.get_by_text("Revoked")).to_be_visible()
    assert stack.client.get("/api/documents", headers=headers).status_code == 401


def test_a_providers_key_is_tried_and_said_to_be_wrong_or_to_work(
    open_page: OpenPage, new_person: NewPerson, groq: FarEnd
) -> None:
    page = open_page("/app/settings/providers", new_person())
    page.get_by_role("button", name="Set: Groq").click()
    page.get_by_role("textbox", name="Key", exact=True).fill("gsk-of-this-tenant-0001")
    page.get_by_role("button", name="Save").click()
    groq.reply = fakes.failure(401)
    page.get_by_role("button", name="Try: Groq").click()
    trial = page.get_by_role("status").filter(has_text="Answers")
    expect(trial).to_be_visible(timeout=WORK_MS)
    expect(trial).not_to_contain_text("works")
    groq.reply = chats_only
    page.get_by_role("button", name="Try: Groq").click()
    expect(trial).to_contain_text("works", timeout=WORK_MS)
    expect(trial).to_contain_text("Speech")
    assert {each.headers["authorization"] for each in groq.asked} == {"Bearer gsk-of-this-tenant-0001"}
    assert "gsk-of-this-tenant-0001" not in page.content()
    look(page, "settings-providers")
    page.get_by_role("button", name="Remove").click()
    confirm(page, "Remove")
    expect(page.get_by_role("button", name="Set: Groq")).to_be_visible()


def test_an_organisations_colour_and_logo_are_on_its_pages(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app/settings/branding", new_person())
    page.get_by_label("Name of the organisation").fill("Lighthouse Trust")
    page.get_by_label("Colour", exact=True).fill("#ffdd00")
    page.get_by_label("Colour", exact=True).press("Tab")
    page.set_input_files("input[type=file]", {"name": "dot.png", "mimeType": "image/png", "buffer": DOT})
    expect(page.get_by_role("img", name="Logo")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_role("link", name="Lighthouse Trust")).to_be_visible()
    # Yellow, darkened until white can be read on it.
    page.mouse.move(0, 0)
    expect(page.get_by_role("button", name="Save")).to_have_css("background-color", "rgb(134, 116, 0)")
    look(page, "settings-branding")


def test_a_delivery_that_failed_is_looked_at_and_sent_again(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    def refuse(conversation: Conversation, _: Taken) -> None:
        conversation.say(503, marked("hook").encode())

    with listening(reply=refuse) as receiver:
        page = open_page("/app/settings/webhooks", new_person())
        page.get_by_role("button", name="Add an endpoint").click()
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_role("button", name="Create", exact=True).click()
        secret = page.get_by_test_id("secret").inner_text()
        look(page, "settings-webhooks")
        page.get_by_role("link", name=receiver.url).click()
        expect(page.get_by_text("Nothing has been sent")).to_be_visible()
        page.get_by_role("button", name="Send a test").click()
        log = page.get_by_role("list", name="Deliveries")
        expect(log.get_by_text("HTTP 503")).to_be_visible(timeout=WORK_MS)
        page.get_by_role("button", name="Look", exact=True).first.click()
        expect(page.get_by_role("group", name="Response")).to_contain_text("onerror")
        assert page.evaluate("window.ran") is None
        assert not grave_faults(page)
        receiver.reply = lambda conversation, _: conversation.say(200)
        page.get_by_role("button", name="Send again").click()
        expect(log.get_by_text("sent again")).to_be_visible(timeout=WORK_MS)
        expect(log.get_by_role("listitem").filter(has_text="sent again").get_by_text("HTTP 200")).to_be_visible(
            timeout=WORK_MS
        )
        assert receiver.taken[-1].is_verified_by(secret)
        look(page, "settings-endpoint")


def test_usage_is_shown_beside_what_is_allowed_and_a_budget_is_set(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    assert stack.client.post("/api/chat", json={"message": "Who is there?"}, headers=person.headers).is_success
    page = open_page("/app/settings/usage", person)
    expect(page.get_by_role("progressbar", name="Calls")).to_be_visible()
    page.get_by_label("US dollars a month").fill("25")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("of $25.00")).to_be_visible()
    look(page, "settings-usage")


def test_scripts_in_names_never_run(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    person = new_person(organization=marked("org"), name=marked("name"))
    colours = {"primary": "#aa3300", marked("colour")[:40]: "#aa3300"}
    for method, path, body in (
        ("POST", "/api/tenant/users", {"email": "eve@example.org", "name": marked("guest")}),
        ("POST", "/api/webhooks", {"url": "http://127.0.0.2:9/<script>1</script>", "description": marked("hook")}),
        ("POST", "/api/tenant/keys", {"name": marked("key"), "scopes": ["chat"]}),
        ("PUT", "/api/memory/preferences", {"preferences": {"name": marked("wish")[:90]}}),
        ("PATCH", "/api/tenant", {"brand_colors": colours}),
    ):
        answer = stack.client.request(method, path, json=body, headers=person.headers)
        assert answer.is_success, f"{path}: {answer.text}"
    page = open_page("/app/settings/account", person)
    for way in ("People", "API keys", "Branding", "Webhooks", "Memory"):
        settings(page, way)
        expect(page.get_by_text("onerror").or_(page.get_by_label("Name of the organisation")).first).to_be_visible()
        assert page.evaluate("window.ran") is None, way
    page.goto("/admin/audit")
    expect(page.get_by_text("api_key.made")).to_be_visible()
    page.get_by_text("What changed").first.click()
    assert page.evaluate("window.ran") is None
