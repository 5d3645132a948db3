"""Settings, insight, administration and the test page, as those use them who may."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from deploy.places import REPO
from tests.browser.conftest import PASSWORD, Person
from tests.browser.looking import look

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

CANARY = "<img src=x onerror=\"window.ran='{}'\"><script>window.ran='{}'</script>"


@pytest.fixture
def operator(stack: Stack) -> Person:
    """Return an operator of the stack, made at the machine as the documentation says."""
    email = f"operator-{secrets.token_hex(4)}@example.org"
    told = {**os.environ, **stack.runtime(), "AURA_DATA_DIR": str(stack.data_dir), "AURA_SINGLE_TENANT": "1"}
    command = [Path(sys.executable).with_name("flask"), "--app", "api", "operator", "add", email]
    subprocess.run(command, cwd=REPO, env=told, input=f"{PASSWORD}\n", text=True, check=True, capture_output=True)
    body = {"email": email, "password": PASSWORD, "tenant_subdomain": "default"}
    answer = stack.client.post("/api/login", json=body, headers={"X-Forwarded-For": "10.9.0.1"})
    answer.raise_for_status()
    return Person(email, PASSWORD, "default", answer.json())


def dead_letter(stack: Stack, person: Person, name: str) -> str:
    """Upload what can not be read, wait until that is known, and return its id."""
    files = {"file": (name, b"%PDF-1.4\nthis is no document\n%%EOF")}
    job = str(stack.client.post("/api/documents/upload", files=files, headers=person.headers).json()["job_id"])
    follow(stack, person, job, "document.failed")
    return job


def follow(stack: Stack, person: Person, job: str, end: str) -> None:
    """Follow a job until it tells of its end. Raises AssertionError where it ends otherwise."""
    with stack.client.stream("GET", f"/api/jobs/{job}/events", headers=person.headers) as events:
        assert any(end in line for line in events.iter_lines())


def test_an_admin_replays_a_dead_letter(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    person = new_person()
    doc_id = dead_letter(stack, person, "minutes <b>2026</b>.pdf")
    page = open_page("/admin/dead-letters", person)
    expect(page.get_by_text("minutes <b>2026</b>.pdf")).to_be_visible()
    look(page, "admin-dead-letters")
    with page.expect_response("**/api/documents/dead-letters/replay") as replayed:
        page.get_by_role("button", name="Try again: minutes").click()
    expect(page.get_by_text("1 document is tried again")).to_be_visible()
    # What it was tried for is a job of its own, which ends: it is tried in truth, and fails anew.
    job = replayed.value.json()["job_id"]
    follow(stack, person, job, "batch.completed")
    tried = stack.client.get(f"/api/documents/{doc_id}", headers=person.headers).json()
    assert tried["batch_id"] == job


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
    look(page, "settings-key-once")
    page.reload()
    expect(page.get_by_text(f"...{key[-4:]}")).to_be_visible()
    expect(page.get_by_test_id("secret")).to_have_count(0)
    assert key not in page.content()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Revoked")).to_be_visible()


def test_a_tone_is_shown_by_example_and_kept(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
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
    kept = stack.client.get("/api/memory/preferences", headers=person.headers).json()["preferences"]
    assert {one["key"]: one["value"] for one in kept}["detail"] == 0


def test_scripts_in_names_never_run(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    person = new_person(organization=CANARY.format("org", "org"), name=CANARY.format("name", "name"))
    ask = {"headers": person.headers}
    guest = {"email": f"{secrets.token_hex(6)}@example.org", "name": CANARY.format("guest", "guest")}
    assert stack.client.post("/api/tenant/users", json=guest, **ask).status_code == 201
    hook = {"url": "https://example.org/<script>window.ran='hook'</script>", "description": CANARY.format("d", "d")}
    assert stack.client.post("/api/webhooks", json=hook, **ask).status_code == 201
    key = {"name": CANARY.format("key", "key"), "scopes": ["chat"]}
    assert stack.client.post("/api/tenant/keys", json=key, **ask).status_code == 201
    wish = {"preferences": {"name": CANARY.format("wish", "wish")[:90]}}
    assert stack.client.put("/api/memory/preferences", json=wish, **ask).status_code == 200
    page = open_page("/app/settings", person)
    for path in ("account", "people", "keys", "webhooks", "branding", "memory", "privacy"):
        page.goto(f"/app/settings/{path}")
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.ran") is None, path
    page.goto("/admin/audit")
    expect(page.get_by_text("api_key.made")).to_be_visible()
    assert page.evaluate("window.ran") is None


def test_the_test_page_shows_what_went_and_what_came_without_tokens(open_page: OpenPage, new_person: NewPerson) -> None:
    person = new_person()
    page = open_page("/test", person)
    page.get_by_role("button", name="Who am I?").click()
    expect(page.get_by_label("Reply")).to_contain_text("HTTP 200")
    expect(page.get_by_label("Reply")).to_contain_text("Harbour Museum")
    expect(page.get_by_label("Request", exact=True)).to_contain_text("authorization: …")
    assert person.login["access_token"][:40] not in page.content()
    page.get_by_role("button", name="Say it").click()
    expect(page.locator("audio")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("POST /api/chat")).to_be_visible(timeout=30_000)
    look(page, "test")


def test_the_charts_have_tables_and_follow_what_was_asked(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    page = open_page("/app/insight", person)
    expect(page.get_by_text("Nothing to show yet").first).to_be_visible()
    look(page, "insight-empty")
    for question in ("When does the museum open?", "Who built the harbour?"):
        found = stack.client.post("/api/chat", json={"message": question}, headers=person.headers)
        assert found.status_code == 200, found.text
    page.reload()
    table = page.get_by_role("region", name="Questions by day")
    expect(table.get_by_role("cell", name="2", exact=True)).to_have_count(1)
    expect(page.locator(".recharts-surface").first).to_be_visible()
    look(page, "insight")


def test_settings_look_right(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    person = new_person()
    hook = stack.client.post("/api/webhooks", json={"url": "https://example.org/aura"}, headers=person.headers).json()
    page = open_page("/app/settings", person)
    for path in ("", "memory", "account", "people", "keys", "providers", "branding", "webhooks", "usage", "privacy"):
        page.goto(f"/app/settings/{path}")
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        page.wait_for_load_state("networkidle")
        look(page, f"settings-{path or 'tone'}")
    page.goto(f"/app/settings/webhooks/{hook['id']}")
    expect(page.get_by_text("Nothing has been sent")).to_be_visible()
    look(page, "settings-endpoint")


def test_an_operator_sees_the_deployment_and_an_admin_does_not(
    open_page: OpenPage, new_person: NewPerson, operator: Person
) -> None:
    page = open_page("/admin/", operator)
    expect(page.get_by_text("Everything works")).to_be_visible(timeout=30_000)
    look(page, "admin-health")
    page.goto("/admin/pools")
    expect(page.get_by_text("generate", exact=True)).to_be_visible()
    look(page, "admin-queues")
    page.goto("/admin/tenants")
    expect(page.get_by_text("Runs this deployment")).to_be_visible()
    look(page, "admin-tenants")
    for path in ("spending", "audit"):
        page.goto(f"/admin/{path}")
        page.wait_for_load_state("networkidle")
        look(page, f"admin-{path}")
    other = open_page("/admin/", new_person())
    expect(other.get_by_role("link", name="Audit log")).to_be_visible()
    expect(other.get_by_role("link", name="Organisations")).to_have_count(0)
