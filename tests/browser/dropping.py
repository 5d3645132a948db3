"""Files as people have them, uploaded by the API or dropped onto a page."""

from pathlib import Path
from uuid import uuid4

import pypdf
from playwright.sync_api import Page

from deploy.ephemeral import Stack
from tests.browser.conftest import Person

CANARY = "<img src=x onerror=window.ran=1>"
PASSWORD = "u-secret"
SAMPLES = Path("docs/samples")

DROP = """async (files) => {
  const transfer = new DataTransfer();
  for (const [name, text, spaces] of files) transfer.items.add(new File([text, " ".repeat(spaces)], name));
  const at = document.querySelector("[class*=zone]");
  for (const type of ["dragenter", "dragover", "drop"])
    at.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
"""Drops files that are made in the page: each a name, a text, and how many spaces follow it."""


def uploaded(stack: Stack, person: Person, name: str, content: str | bytes) -> str:
    """Upload a file, wait until it is ready, and return its document's id."""
    answer = stack.client.post(
        "/api/documents/upload",
        files={"file": (name, content.encode() if isinstance(content, str) else content)},
        headers={**person.headers, "Prefer": "wait=90"},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["document"]["id"]
    return found


def drop_paths(page: Page, *paths: Path) -> None:
    """Drop files and folders of the disk onto the page, as a hand does."""
    zone = page.get_by_text("Drop files or folders here")
    box = zone.bounding_box()
    assert box
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 5, "y": box["y"] + 5, "data": data})
    session.detach()


def mixed(folder: Path) -> Path:
    """Return a folder as people have them: depth, files twice and of one name, and some that nobody can read."""
    (folder / "rooms").mkdir(parents=True)
    for number in range(4):
        (folder / f"note-{number}.md").write_text(f"# Note {number}\n\nThe locker of note {number} is {uuid4()}.")
    (folder / "rooms" / "note-0.md").write_text(f"# Blue room\n\nIt opens at ten. {uuid4()}")
    (folder / "rooms" / "note-1 (copy).md").write_bytes((folder / "note-1.md").read_bytes())
    (folder / f"{CANARY}.md").write_text(f"# {CANARY}\n\n{CANARY} {uuid4()}")
    (folder / "prices.csv").write_text(f"item,price\nticket,12\nkey,{uuid4().int}\n")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R")
    writer = pypdf.PdfWriter(clone_from=SAMPLES / "price-list.pdf")
    writer.encrypt(PASSWORD, algorithm="AES-256")
    writer.write(folder / "locked.pdf")
    return folder
