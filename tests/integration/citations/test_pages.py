"""An answer names the source of each sentence, and the page shows the very lines."""

import io
from typing import Any
from uuid import uuid4

import psycopg
import pypdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from pipelines.stores.objects import ObjectStore
from schemas.settings import get_settings
from tests.integration.reindex.stacks import ROOT, Stack

pytestmark = pytest.mark.timeout(900)
"""Whole processes are started: seconds where the machine is idle, minutes where it is not."""

HANDBOOK = ROOT / "docs" / "samples" / "employee-handbook.pdf"


@pytest.fixture(scope="module")
def handbook(stack: Stack) -> str:
    return stack.upload([("handbook.pdf", HANDBOOK.read_bytes())])[0]


@pytest.fixture(scope="module")
def answer(stack: Stack, handbook: str) -> dict[str, Any]:
    found = stack.client.post("/api/chat", json={"message": "Who founded the company Larkfield Bikes in March 2014?"})
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    return answer


def shown(stack: Stack, place: str, **query: Any) -> Image.Image:
    found = stack.client.get(place, params=query or None)
    assert found.status_code == 200, found.text
    assert found.headers["Content-Type"] == "image/png"
    return Image.open(io.BytesIO(found.content)).convert("RGB")


def marked(image: Image.Image) -> int:
    """Return how many pixels have the colour by which a place is marked: more red than blue, much of both."""
    return sum(count for count, (r, g, b) in image.getcolors(1 << 24) or [] if r - b > 40 and g > 90)


def test_each_sentence_names_a_source_that_says_so(answer: dict[str, Any]) -> None:
    assert "Hannah Reed" in answer["response"]
    assert answer["sentences"]
    cited = {one["number"]: one for one in answer["citations"]}
    for sentence in answer["sentences"]:
        assert sentence["supported"] == bool(sentence["citations"])
        assert set(sentence["citations"]) <= cited.keys()
    document = pypdfium2.PdfDocument(HANDBOOK)
    whole = " ".join(" ".join(page.get_textpage().get_text_bounded() for page in document).split())
    for one in cited.values():
        assert " ".join(one["quote"].split()) in whole
        assert one["page"] == 1
        assert one["heading_path"]


def test_the_page_marks_the_lines_of_the_quotation_and_no_others(stack: Stack, answer: dict[str, Any]) -> None:
    [founded] = [one for one in answer["citations"] if "Hannah" in one["quote"]]
    place = founded["page_image"]
    plain = shown(stack, place.partition("?")[0])
    assert marked(shown(stack, place)) > marked(plain) + 1000
    view = stack.client.get(place, params={"citation": place.partition("=")[2], "format": "json"}).json()
    page = pypdfium2.PdfDocument(HANDBOOK)[0]
    assert (view["page"], view["width_pt"], view["height_pt"]) == (1, *(round(side, 1) for side in page.get_size()))
    text, inside = page.get_textpage(), []
    for box in view["boxes"]:
        sides = (box["left"], view["height_pt"] - box["bottom"], box["right"], view["height_pt"] - box["top"])
        inside.append(text.get_text_bounded(*sides))
    letters = "".join("".join(inside).split())
    wanted = "".join(founded["quote"].split())
    assert wanted in letters
    assert len(letters) <= len(wanted) + 5
    chunk = founded["boxes"][0]
    assert sum(b["bottom"] - b["top"] for b in view["boxes"]) < chunk["bottom"] - chunk["top"]


def test_a_page_is_kept_and_goes_with_its_document(stack: Stack, admin: psycopg.Connection) -> None:
    data = HANDBOOK.read_bytes() + f"\n% {uuid4()}".encode()
    [doc_id] = stack.upload([("copy.pdf", data)])
    first = stack.client.get(f"/api/documents/{doc_id}/pages/2", params={"width": 640})
    assert Image.open(io.BytesIO(first.content)).width == 700  # Widths are taken to the next hundred.
    store = ObjectStore(get_settings())
    row = admin.execute("SELECT tenant_id FROM documents WHERE doc_id = %s", (doc_id,)).fetchone()
    assert row is not None
    folder = f"{row[0]}/documents/{doc_id}"
    assert [key for key in store.listing(folder) if key.endswith(".png")] != []
    again = stack.client.get(f"/api/documents/{doc_id}/pages/2", params={"width": 700})
    assert (again.content, again.headers["ETag"]) == (first.content, first.headers["ETag"])
    same = stack.client.get(
        f"/api/documents/{doc_id}/pages/2", params={"width": 700}, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (same.status_code, same.content) == (304, b"")
    assert stack.client.delete(f"/api/documents/{doc_id}").status_code == 200
    assert list(store.listing(folder)) == []
    assert stack.client.get(f"/api/documents/{doc_id}/pages/2").status_code == 404


def test_chunks_and_boxes_are_marked_too(stack: Stack, handbook: str) -> None:
    place = f"/api/documents/{handbook}/pages/1"
    plain = marked(shown(stack, place))
    for chunk in [one for one in stack.chunks(handbook) if one["page_from"] == 1]:
        assert marked(shown(stack, place, chunk_id=chunk["chunk_id"])) > plain + 1000
    assert marked(shown(stack, place, boxes="100,100,300,200;-5,-5,9999,20")) > plain + 10_000


@pytest.mark.parametrize(
    ("n", "query", "expected"),
    [
        ("999", {}, (404, "not_found")),
        ("0", {}, (404, "not_found")),
        ("123456789012345678901", {}, (404, "not_found")),
        ("1", {"chunk_id": 2**62}, (404, "not_found")),
        ("1", {"citation": f"{uuid4()}:1"}, (404, "not_found")),
        ("1", {"citation": "x"}, (422, "invalid_request")),
        ("1", {"boxes": "1,2,3"}, (422, "invalid_request")),
        ("1", {"boxes": "nan,2,3,4"}, (422, "invalid_request")),
        ("1", {"width": 99_999}, (422, "invalid_request")),
        ("1", {"format": "exe"}, (422, "invalid_request")),
    ],
)
def test_what_is_not_there_is_refused(
    stack: Stack, handbook: str, n: str, query: dict[str, Any], expected: tuple[int, str]
) -> None:
    found = stack.client.get(f"/api/documents/{handbook}/pages/{n}", params=query)
    assert (found.status_code, found.json()["code"]) == expected


def test_a_citation_of_another_document_marks_nothing_here(stack: Stack, answer: dict[str, Any]) -> None:
    [other] = stack.upload([("other.pdf", HANDBOOK.read_bytes() + b"\n% other")])
    one = answer["citations"][0]
    place = f"/api/documents/{other}/pages/1"
    found = stack.client.get(place, params={"citation": f"{answer['turn_id']}:{one['number']}"})
    expected = 200 if one["document_id"] == other else 404
    assert found.status_code == expected


def test_a_format_without_pages_says_what_there_is_instead(stack: Stack) -> None:
    [doc_id] = stack.upload([("a.txt", f"Nothing but {uuid4()}.".encode())])
    found = stack.client.get(f"/api/documents/{doc_id}/pages/1")
    assert (found.status_code, found.json()["code"]) == (409, "no_pages")
    assert f"/api/documents/{doc_id}/chunks" in found.json()["detail"]


def test_a_picture_is_a_page(stack: Stack) -> None:
    out = io.BytesIO()
    picture = Image.new("RGB", (900, 600), "white")
    ImageDraw.Draw(picture).text((40, 40), f"Invoice {uuid4()}", fill="black", font_size=60)
    picture.save(out, "PNG")
    [doc_id] = stack.upload([("scan.png", out.getvalue())])
    assert shown(stack, f"/api/documents/{doc_id}/pages/1", width=300).size == (300, 200)
    assert stack.client.get(f"/api/documents/{doc_id}/pages/2").status_code == 404


def test_a_locked_file_is_shown_by_its_kept_password(stack: Stack) -> None:
    out = io.BytesIO()
    writer = pypdf.PdfWriter(clone_from=HANDBOOK)
    writer.encrypt("u-secret", algorithm="AES-256")
    writer.write(out)
    files = {"file": ("locked.pdf", out.getvalue())}
    sent = stack.client.post("/api/documents/upload", files=files, data={"password": "u-secret"})
    doc_id = sent.json()["document"]["id"]
    stack.finished(doc_id)
    assert shown(stack, f"/api/documents/{doc_id}/pages/1").width == 1000
