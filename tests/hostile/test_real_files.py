"""Real files that nobody of this project wrote, all in one batch, end as they should, each page where it is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from bench.fake_embeddings import FakeEmbedder
from deploy.ephemeral import Stack, ephemeral_stack, wait_until

pytestmark = pytest.mark.timeout(500)  # The first test waits for all files.

ENDS = {"password.pdf": "encrypted", "password_protected.xlsx": "encrypted", "empty.txt": "empty_file"}
SCANS = ("DA-1p.pdf", "DA-1p.png")
LONG = "DA-619p.pdf"
PAGES_LOOKED_AT = 20
WITHIN_S = 240


@pytest.fixture(scope="module")
def quick() -> Iterator[Stack]:
    """Yield a stack whose embeddings are faked: two thousand chunks are made here for their text and their pages."""
    with FakeEmbedder() as fake, ephemeral_stack(fake.settings) as running:
        yield running


@pytest.fixture(scope="module")
def items(quick: Stack, shared_data: Path) -> dict[str, dict[str, Any]]:
    """Return what became of each file of one batch, by name."""
    files = [("files", (path.name, path.read_bytes())) for path in sorted((shared_data / "documents").iterdir())]
    accepted = quick.client.post("/api/documents/upload", files=files).json()
    assert accepted["batch"]["total"] == len(files)
    wait_until(lambda: quick.client.get(accepted["job"]).json()["finished"], WITHIN_S, "the end of all files")
    found = quick.client.get(f"/api/batches/{accepted['job_id']}/documents?limit=200").json()["documents"]
    return {item["filename"]: item for item in found}


def chunks(stack: Stack, doc_id: str) -> Iterator[dict[str, Any]]:
    wanted = {"limit": "200"}
    while "after" not in wanted or wanted["after"]:
        page = stack.client.get(f"/api/documents/{doc_id}/chunks", params=wanted).json()
        yield from page["chunks"]
        wanted["after"] = page["next"]


def test_each_file_ends_as_it_should(shared_data: Path, items: dict[str, dict[str, Any]]) -> None:
    expected = {path.name: ENDS.get(path.name, "processed") for path in (shared_data / "documents").iterdir()}
    assert {name: item["code"] or item["status"] for name, item in items.items()} == expected
    assert [name for name, item in items.items() if item["status"] == "processed" and not item["chunks"]] == []
    assert all(items[name]["remedy"] for name in ENDS)


def test_scans_are_read(quick: Stack, items: dict[str, dict[str, Any]]) -> None:
    for name in SCANS:
        text = " ".join(chunk["text"] for chunk in chunks(quick, items[name]["document_id"]))
        assert "dead of night" in text


def test_page_numbers_are_those_of_the_file(quick: Stack, items: dict[str, dict[str, Any]], shared_data: Path) -> None:
    """A line that is nowhere else in the file, of each page looked at, is in chunks that say they reach that page."""
    pdf = pypdfium2.PdfDocument(shared_data / "documents" / LONG)
    pages = [words(pdf[i].get_textpage().get_text_bounded()) for i in range(len(pdf))]
    whole = " \n ".join(" ".join(page) for page in pages)
    made = [
        (" ".join(words(c["text"])), c["page_from"], c["page_to"]) for c in chunks(quick, items[LONG]["document_id"])
    ]
    right, looked_at = 0, []
    for number in range(1, len(pages) + 1, max(1, len(pages) // PAGES_LOOKED_AT)):
        for line in phrases(pages[number - 1]):
            found = [at for at, (text, _, _) in enumerate(made) if line in text]
            # Neighbours overlap; what is far from each other stands in the file twice, however pdfium splits its words.
            if whole.count(line) != 1 or not found or found[-1] - found[0] > 1:
                continue
            looked_at.append(number)
            right += all(made[at][1] <= number <= made[at][2] for at in found)
            break
    assert len(looked_at) >= PAGES_LOOKED_AT
    assert right == len(looked_at)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def phrases(page: list[str]) -> Iterator[str]:
    """Yield what eight words in a row say, from all over a page."""
    for start in range(0, max(0, len(page) - 8), 8):
        yield " ".join(page[start : start + 8])
