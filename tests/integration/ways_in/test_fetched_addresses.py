"""Web addresses: what leads inside is refused at once, what does not answer stands with its item."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

from schemas.settings import get_settings
from tests.integration.people import code
from tests.integration.ways_in.conftest import Sender
from workers import intake

PDF = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"


class Site(ThreadingHTTPServer):
    """A web site of a few pages; it counts who asked for what."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.asked: list[str] = []
        self.mark = uuid4().hex.encode()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, headers, body = PAGES.get(self.path, (404, {}, b"nothing here"))
        body = body.replace(b"MARK", self.server.mark)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/": (200, HTML, b"<!doctype html><html><title>Opening &amp; hours</title><body>Open MARK</body></html>"),
    "/about": (200, HTML, b"<!doctype html><html><title>About</title><body>About MARK</body></html>"),
    "/page.php": (200, HTML, b"<!doctype html><html><body>PHP MARK</body></html>"),
    "/get?id=7": (200, {"Content-Type": "application/octet-stream", "Content-Disposition":
                        "attachment; filename*=UTF-8''pr%C3%A9cis.pdf"}, PDF + b"% MARK"),
    "/report": (200, {"Content-Type": "application/pdf"}, PDF + b"% report MARK"),
    "/notes.txt": (200, {"Content-Type": "text/plain"}, b"Notes MARK"),
    "/moved": (302, {"Location": "/notes.txt"}, b""),
    "/broken": (500, HTML, b"oh"),
    "/tool.exe": (200, {"Content-Type": "application/octet-stream"}, b"MZ\x90" + bytes(90)),
}  # fmt: skip


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    server = Site()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AURA_OUTBOUND_ALLOW", f"127.0.0.1:{server.server_address[1]}")
    get_settings.cache_clear()
    yield server
    monkeypatch.undo()
    get_settings.cache_clear()
    server.shutdown()
    server.server_close()


def fetch(sender: Sender, *urls: str) -> str:
    """Send addresses, let a worker take them in, and return the batch's id."""
    answer = sender.post("/api/documents/url", 202, urls=list(urls))
    assert answer["batch"]["total"] == len(urls)
    intake.take_in(str(sender.tenant_id), answer["job_id"])
    return str(answer["job_id"])


def test_what_is_fetched_is_named_by_what_it_is(sender: Sender, site: Site) -> None:
    paths = ["/", "/about", "/page.php", "/get?id=7", "/report", "/moved"]
    job = fetch(sender, *(site.address + path for path in paths))
    items = sender.items(job)
    views = [sender.get(f"/api/documents/{item['document_id']}") for item in items]
    found = [(view["filename"], view["file_type"]) for view in views]
    assert found == [
        ("Opening & hours.html", "html"),
        ("about.html", "html"),
        ("page.php", "html"),
        ("précis.pdf", "pdf"),
        ("report.pdf", "pdf"),
        ("notes.txt", "txt"),
    ]
    assert [view["source_url"] for view in views] == [site.address + path for path in paths]


def test_an_address_that_gives_no_file_is_an_item_with_its_code(sender: Sender, site: Site) -> None:
    urls = [f"{site.address}{path}" for path in ("/notes.txt", "/nowhere", "/broken", "/tool.exe")]
    job = fetch(sender, *urls)
    codes = [(item["status"], item["code"], bool(item["remedy"])) for item in sender.items(job)]
    assert codes == [
        ("queued", None, False),
        ("refused", "bad_status", True),
        ("refused", "bad_status", True),
        ("refused", "unsupported_type", True),
    ]
    assert "404" in sender.items(job)[1]["detail"]


def test_refused_addresses_are_fetched_again_by_a_retry_and_others_are_not(sender: Sender, site: Site) -> None:
    job = fetch(sender, f"{site.address}/notes.txt", f"{site.address}/late")
    PAGES["/late"] = (200, {"Content-Type": "text/plain"}, b"Late MARK")
    try:
        site.asked.clear()
        assert sender.post(f"/api/jobs/{job}/retry")["result"]["taking_in"] is True
        assert sender.totals(job) == {"total": 2, "queued": 2}
        intake.take_in(str(sender.tenant_id), job)
    finally:
        del PAGES["/late"]
    assert site.asked == ["/late"]
    assert [item["filename"] for item in sender.items(job)] == ["notes.txt", "late.txt"]


def test_a_deleted_document_is_not_fetched_again(sender: Sender, site: Site) -> None:
    job = fetch(sender, f"{site.address}/notes.txt", f"{site.address}/nowhere")
    doc_id = sender.items(job)[0]["document_id"]
    assert sender.person.request("DELETE", f"/api/documents/{doc_id}").status_code == 200
    site.asked.clear()
    sender.post(f"/api/jobs/{job}/retry")
    intake.take_in(str(sender.tenant_id), job)
    assert site.asked == ["/nowhere"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:22/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://user@example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "ftp://example.org/a.txt",
        "not an address",
    ],
)
def test_what_leads_inside_is_refused_and_nothing_is_kept(sender: Sender, site: Site, url: str) -> None:
    both = [f"{site.address}/notes.txt", url]
    assert code(sender.person.post("/api/documents/url", json={"urls": both})) == (422, "address_refused")
    assert sender.get("/api/batches")["batches"] == []
    assert site.asked == []


@pytest.mark.parametrize("body", [{}, {"urls": []}, {"url": "http://a.example", "urls": ["http://b.example"]},
                                  {"urls": ["http://a.example"] * 101}, {"url": 7}])  # fmt: skip
def test_a_body_without_addresses_or_with_too_many_is_refused(sender: Sender, body: dict[str, object]) -> None:
    assert code(sender.person.post("/api/documents/url", json=body)) == (422, "invalid_request")


def test_addresses_can_join_an_open_batch_of_ones_own_tenant_only(new_sender: Callable[[], Sender], site: Site) -> None:
    owner, other = new_sender(), new_sender()
    batch = owner.post("/api/batches", 201)["id"]
    url = f"{site.address}/notes.txt"
    assert owner.post("/api/documents/url", 202, url=url, batch_id=batch)["job_id"] == batch
    assert code(other.person.post("/api/documents/url", json={"url": url, "batch_id": batch})) == (404, "not_found")
    owner.send([("more.txt", b"More words.")], batch_id=batch)
    intake.take_in(str(owner.tenant_id), batch)
    assert owner.totals(batch) == {"total": 2, "queued": 2}
