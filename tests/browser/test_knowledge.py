"""Knowledge as somebody handles it who has files: dropped, followed, looked into, searched, put right."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from tests.browser.conftest import Person
from tests.browser.looking import look

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

CANARY = "<img src=x onerror=window.ran=1>"
READY_MS = 120_000
MANY = 1_000
LARGE_BYTES = 17 << 20
"""More than what goes in one request."""
LONGEST_TASK_MS = 50
SAMPLES = Path("docs/samples")

DROP = """async ([target, files]) => {
  const transfer = new DataTransfer();
  for (const [name, text] of files) transfer.items.add(new File([text], name));
  const at = document.querySelector(target);
  for (const type of ["dragenter", "dragover", "drop"])
    at.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""

TASKS = """() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((each) => each.duration)))
    .observe({entryTypes: ["longtask"]});
}"""

SCROLL = """async (label) => {
  const box = document.querySelector(`[role=region][aria-label="${label}"]`);
  let rested = 0;
  while (rested < 30) {
    const before = box.scrollTop;
    box.scrollTop += 300;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 16)));
    rested = box.scrollTop === before ? rested + 1 : 0;
  }
  return [...box.querySelectorAll("[role=listitem]")].at(-1).getAttribute("aria-posinset");
}"""


def uploaded(stack: Stack, person: Person, *files: tuple[str, str]) -> list[str]:
    """Upload texts, wait until they are ready, and return their documents' ids."""
    ids = []
    for name, text in files:
        answer = stack.client.post(
            "/api/documents/upload",
            files={"file": (name, text.encode())},
            headers={**person.headers, "Prefer": "wait=60"},
            timeout=90,
        )
        assert answer.status_code == 200, answer.text
        ids.append(answer.json()["document"]["id"])
    return ids


def drop(page: Page, files: list[list[str]]) -> None:
    """Drop files, each a name and its text, onto the page."""
    expect(page.get_by_text("Drop files or folders here")).to_be_visible()
    page.evaluate(DROP, ["[class*=target]", files])


def notes(count: int) -> list[list[str]]:
    return [[f"note-{n}.md", f"# Note {n}\n\nThe locker of note {n} is {uuid4()}."] for n in range(count)]


def test_three_files_that_are_dropped_can_be_looked_into(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app/knowledge", new_person())
    expect(page.get_by_role("heading", name="No documents yet")).to_be_visible()
    drop(page, notes(3))
    card = page.get_by_role("region", name="3 files")
    expect(card.get_by_role("status")).to_contain_text("3 of 3 ready", timeout=READY_MS)
    rows = page.get_by_role("region", name="Documents").get_by_role("listitem")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Ready", timeout=READY_MS)
    page.get_by_role("textbox", name="Search by name").fill("note-1")
    expect(rows).to_have_count(1)
    rows.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Note 1")
    chunk = page.get_by_role("article").first
    expect(chunk).to_contain_text("The locker of note 1")
    chunk.get_by_role("button", name="Edit").click()
    chunk.get_by_role("textbox").fill("The locker of note 1 is blue.")
    chunk.get_by_role("button", name="Save").click()
    expect(chunk.get_by_role("button", name="Edit")).to_be_visible(timeout=READY_MS)
    expect(chunk).to_contain_text("is blue.")
    page.get_by_role("combobox", name="Tags").or_(page.get_by_role("textbox", name="Tags")).first.fill("lockers,")
    page.get_by_role("complementary").get_by_role("button", name="Save").click()
    expect(page.get_by_text("lockers").first).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("stored files were removed")).to_be_visible()
    expect(page).to_have_url("/app/knowledge")
    expect(rows).to_have_count(2)


def test_a_file_that_is_refused_says_why_and_hinders_no_other(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app/knowledge", new_person())
    drop(page, [*notes(1), ["empty.pdf", ""], [f"{CANARY}.md", CANARY]])
    card = page.get_by_role("region", name="3 files")
    expect(card.get_by_role("status")).to_contain_text("2 of 3 ready · 1 could not be read", timeout=READY_MS)
    expect(card.get_by_text("Refused")).to_be_visible()
    assert page.evaluate("window.ran") is None


def test_a_large_upload_goes_on_where_it_was_cut(open_page: OpenPage, new_person: NewPerson) -> None:
    page = open_page("/app/knowledge", new_person())
    # Larger than what is sent at once, so that it goes in pieces; the second is refused once by the line.
    cut: list[str] = []

    def breaks(route: Any) -> None:
        if route.request.method == "PATCH" and route.request.headers.get("upload-offset") != "0" and not cut:
            cut.append(route.request.headers["upload-offset"])
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/api/uploads/**", breaks)
    text = f"# Long\n\n{uuid4()}\n\n" + "word " * 200
    drop(page, [["long.txt", text + " " * LARGE_BYTES]])
    card = page.get_by_role("region", name="long.txt")
    expect(card.get_by_role("status")).to_contain_text("1 of 1 ready", timeout=READY_MS)
    assert cut and int(cut[0]) > 0


@pytest.fixture
def many(stack: Stack, new_person: NewPerson) -> Person:
    """Return somebody with a thousand documents, made in the database."""
    person = new_person()
    tenant = person.login["tenant_id"]
    with stack.database() as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", (tenant,))
        connection.execute(
            "INSERT INTO documents (tenant_id, doc_id, user_id, filename, file_type, file_size, content_sha256, title,"
            " processing_status, version, chunks_count)"
            " SELECT %s, gen_random_uuid(), 'x', 'report-' || n || '.pdf', 'pdf', n * 1000,"
            " md5('r' || n), 'Report ' || n, 'processed', 1, 9 FROM generate_series(1, %s) n",
            (tenant, MANY),
        )
    return person


def test_a_thousand_documents_scroll_without_jank(open_page: OpenPage, many: Person) -> None:
    page = open_page("/app/knowledge", many)
    expect(page.get_by_role("listitem").first).to_contain_text("Report")
    page.evaluate(TASKS)
    assert page.evaluate(SCROLL, "Documents") == str(MANY)
    tasks = page.evaluate("window.tasks")
    assert [each for each in tasks if each > LONGEST_TASK_MS] == []
    assert page.locator("[role=listitem]").count() < 60


def test_the_three_rankings_stand_beside_each_other(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    person = new_person()
    uploaded(stack, person, ("warranty.md", f"# Batteries\n\nBatteries have a warranty of two years. {CANARY}"))
    uploaded(stack, person, ("hours.md", "# Hours\n\nThe museum opens at ten."))
    page = open_page("/app/knowledge/search", person)
    page.get_by_role("textbox", name="Question").fill("How long is the warranty on batteries?")
    page.get_by_role("button", name="Search").click()
    for ranking in ("Together", "By meaning", "By words (BM25)"):
        first = page.get_by_role("region", name=ranking).get_by_role("listitem").first
        expect(first).to_contain_text("warranty.md", timeout=30_000)
        expect(first).to_contain_text("two years")
    assert page.evaluate("window.ran") is None
    look(page, "knowledge-search")


def test_a_pasted_text_and_a_page_of_a_pdf_are_shown(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    person = new_person()
    page = open_page("/app/knowledge", person)
    page.get_by_role("button", name="Add other").click()
    page.get_by_role("menuitem", name="Paste a text").click()
    page.get_by_role("textbox", name="Name", exact=True).fill(f"House rules {CANARY}")
    page.get_by_role("textbox", name="Text").fill("# Rules\n\nNo running.")
    page.get_by_role("button", name="Add", exact=True).click()
    row = page.get_by_role("region", name="Documents").get_by_role("listitem")
    expect(row).to_contain_text("Ready", timeout=READY_MS)
    pdf = next(iter(sorted(SAMPLES.glob("*.pdf"))))
    answer = stack.client.post(
        "/api/documents/upload",
        files={"file": (pdf.name, pdf.read_bytes())},
        headers={**person.headers, "Prefer": "wait=90"},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    expect(row).to_have_count(2)
    look(page, "knowledge")
    page.goto(f"/app/knowledge/documents/{answer.json()['document']['id']}")
    page.get_by_role("article").first.get_by_role("button", name="Show page").click()
    picture = page.get_by_role("img", name="Page 1 of")
    expect(picture).to_be_visible(timeout=40_000)
    page.wait_for_function("document.querySelector('img[alt^=Page]')?.naturalWidth > 100")
    look(page, "knowledge-page")
    page.get_by_role("tab", name="Passages").click()
    expect(page.get_by_role("article").first).to_be_visible()
    look(page, "knowledge-document")
    page.get_by_role("tab", name="Versions").click()
    expect(page.get_by_text("Version 1")).to_be_visible()
    page.goto("/app/knowledge/work")
    expect(page.get_by_role("heading", name="Nothing was added together yet")).to_be_visible()
    assert page.evaluate("window.ran") is None


def test_the_filter_is_kept_in_the_address(open_page: OpenPage, new_person: NewPerson, stack: Stack) -> None:
    person = new_person()
    first, _ = uploaded(stack, person, ("a.md", f"# A {uuid4()}"), ("b.md", f"# B {uuid4()}"))
    stack.client.patch(f"/api/documents/{first}", json={"tags": ["hr"]}, headers=person.headers).raise_for_status()
    page = open_page("/app/knowledge?tag=hr", person)
    rows = page.get_by_role("region", name="Documents").get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("a.md")
    assert json.loads(page.evaluate("JSON.stringify(location.search)")) == "?tag=hr"
