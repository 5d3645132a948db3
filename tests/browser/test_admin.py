"""Administration and the test page, as those use them who may."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from deploy.places import REPO
from pipelines.stores.objects import original_key
from tests.browser.conftest import PASSWORD, Person
from tests.browser.looking import look

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

WORK_MS = 60_000
"""For what workers do, on a machine with more to do."""

BEGINNING_BYTES = 300
PRICES = REPO / "docs" / "samples" / "price-list.pdf"


@pytest.fixture
def operator(stack: Stack) -> Person:
    """Return an operator of the stack, made at the machine as the documentation says."""
    email = f"operator-{secrets.token_hex(4)}@example.org"
    told = {**os.environ, **stack.runtime(), "AURA_DATA_DIR": str(stack.data_dir), "AURA_SINGLE_TENANT": "1"}
    command = [str(Path(sys.executable).with_name("flask")), "--app", "api", "operator", "add", email]
    subprocess.run(command, cwd=REPO, env=told, input=f"{PASSWORD}\n", text=True, check=True, capture_output=True)
    body = {"email": email, "password": PASSWORD, "tenant_subdomain": "default"}
    answer = stack.client.post("/api/login", json=body, headers={"X-Forwarded-For": "10.9.0.1"})
    answer.raise_for_status()
    return Person(email, PASSWORD, "default", answer.json())


def failed(stack: Stack, person: Person, name: str, content: bytes) -> str:
    """Upload what can not be read, wait until that is known, and return its id."""
    files = {"file": (name, content)}
    doc_id = str(stack.client.post("/api/documents/upload", files=files, headers=person.headers).json()["job_id"])
    with stack.client.stream("GET", f"/api/jobs/{doc_id}/events", headers=person.headers) as events:
        assert any("document.failed" in line for line in events.iter_lines())
    return doc_id


def test_an_admin_replays_dead_letters_and_sees_which_are_ready_and_which_failed_again(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    whole = PRICES.read_bytes()
    mended = failed(stack, person, "prices.pdf", whole[:BEGINNING_BYTES])
    failed(stack, person, "minutes.pdf", b"%PDF-1.4\nthis is no document\n%%EOF")
    # The store had kept its beginning only; now it has all of it.
    kept = stack.data_dir / "objects" / original_key(UUID(person.login["tenant_id"]), UUID(mended))
    assert len(kept.read_bytes()) == BEGINNING_BYTES
    kept.write_bytes(whole)

    page = open_page("/admin/dead-letters", person)
    expect(page.get_by_text("prices.pdf")).to_be_visible()
    look(page, "admin-dead-letters")
    page.get_by_role("button", name="Try again: prices").click()
    expect(page.get_by_text("1 of 1 ready now")).to_be_visible(timeout=WORK_MS)
    expect(page.get_by_text("prices.pdf")).to_have_count(0)
    told = stack.client.get(f"/api/documents/{mended}", headers=person.headers).json()
    assert told["status"] == "processed" and told["chunks"] > 0
    page.get_by_role("button", name="Try all again").click()
    expect(page.get_by_text("0 of 1 ready now · 1 failed again")).to_be_visible(timeout=WORK_MS)
    expect(page.get_by_text("minutes.pdf")).to_be_visible()
    page.get_by_role("link", name="To the documents").click()
    expect(page.get_by_text("prices.pdf")).to_be_visible()


def test_the_test_page_shows_what_went_and_what_came_without_tokens(open_page: OpenPage, new_person: NewPerson) -> None:
    person = new_person()
    page = open_page("/test", person)
    for label in ("Does it live?", "Who am I?", "Search", "Which voices are there?", "Usage", "Audit log"):
        page.get_by_role("button", name=label).click()
        reply = page.get_by_role("region", name=label).get_by_label("Reply")
        expect(reply).to_contain_text("HTTP 200", timeout=WORK_MS)
    me = page.get_by_role("region", name="Who am I?")
    expect(me.get_by_label("Reply")).to_contain_text("Harbour Museum")
    expect(me.get_by_label("Request", exact=True)).to_contain_text("authorization: …")
    assert person.login["access_token"][:40] not in page.content()
    page.get_by_role("button", name="Say it").click()
    expect(page.locator("audio")).to_be_visible(timeout=WORK_MS)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("region", name="Ask").get_by_label("Reply")).to_contain_text("turn_id", timeout=WORK_MS)
    look(page, "test")


def test_an_operator_sees_the_deployment_and_an_admin_only_their_organisation(
    open_page: OpenPage, new_person: NewPerson, operator: Person
) -> None:
    own = new_person(organization="Mill on the Hill")
    page = open_page("/admin/", operator)
    expect(page.get_by_text("Everything works")).to_be_visible(timeout=WORK_MS)
    look(page, "admin-health")
    ways = page.get_by_role("navigation", name="Administration")
    ways.get_by_role("link", name="Queues and workers").click()
    expect(page.get_by_text("generate", exact=True)).to_be_visible()
    expect(page.get_by_text("Flower", exact=False).first).to_be_visible()
    look(page, "admin-queues")
    ways.get_by_role("link", name="Costs").click()
    page.get_by_role("radiogroup", name="Whose costs").get_by_text("All organisations").click()
    look(page, "admin-costs")
    ways.get_by_role("link", name="Organisations").click()
    expect(page.get_by_text("Runs this deployment")).to_be_visible()
    look(page, "admin-tenants")
    mill = page.get_by_role("listitem").filter(has_text="Mill on the Hill").first
    mill.get_by_role("button", name="Edit: Mill on the Hill").click()
    page.get_by_label("Subscription").select_option("premium")
    page.get_by_label("Calls a month").fill("4321")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(mill.get_by_text("premium")).to_be_visible()
    mill.get_by_role("button", name="Suspend").click()
    page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    expect(mill.get_by_text("Suspended")).to_be_visible()

    shut_out = open_page("/admin/", own)
    expect(shut_out.get_by_role("heading", name="Sign in")).to_be_visible()
    other = open_page("/admin/", new_person())
    expect(other.get_by_role("link", name="Organisations")).to_have_count(0)
    other.get_by_role("link", name="Audit log").click()
    other.get_by_label("Act begins with").fill("tenant.")
    expect(other.get_by_text("tenant.founded")).to_be_visible()
    look(other, "admin-audit")
