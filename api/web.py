"""The web application's files, as `make web` builds them into `web/dist`."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from api.door.permissions import allows
from schemas.tables.identity import Permission

DIST = Path(__file__).resolve().parents[1] / "web" / "dist"

PAGES = (
    *("/", "/welcome", "/login", "/register", "/password-reset", "/invitation", "/test", "/widget"),
    *("/admin/", "/app/"),
)
"""Where a page of the application begins. Those that end with a stroke have pages below them."""

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}
"""What is served, and as what; `mimetypes` would read the machine's own table."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " font-src 'self'; connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self';"
    " frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Scripts are files of ours alone. Components set sizes and places by style, which runs nothing."""

PREVIEW_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; connect-src 'self';"
    " media-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Of the page in which a widget is tried out. No other site may frame it: a widget is for the sites that it names."""

MISSING = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="10">
<title>AURA</title>
<style>body { max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem; font: 1rem/1.55 system-ui, sans-serif }</style>
<h1>AURA runs; its web application is not built yet</h1>
<p>Run <code>make web</code> in AURA's folder. It needs the network the first time. This page then turns into the
application by itself.</p>
<p>Everything else works meanwhile: <a href="/docs">the API and its documentation</a>, and
<code>flask --app api ask</code> in a terminal.</p>
</html>
"""


def register(app: Flask) -> None:
    """Serve the pages, and the files that they load, to anybody."""
    for path in PAGES:
        app.add_url_rule(path, f"page:{path}", _page, methods=["GET"], strict_slashes=False)
        if path.endswith("/") and path != "/":
            app.add_url_rule(f"{path}<path:below>", f"page:{path}*", _page, methods=["GET"])
    for folder, caching in (("assets", FOR_EVER), ("static", ASK_AGAIN), ("widget", ASK_AGAIN)):
        app.add_url_rule(f"/{folder}/<path:name>", f"files:{folder}", _files(folder, caching), methods=["GET"])


def not_found() -> Response | None:
    """Return the page that tells somebody with a browser that nothing is here, or None for a program."""
    if request.method != "GET" or "text/html" not in request.headers.get("Accept", ""):
        return None
    if request.path.startswith(("/api/", "/assets/", "/static/", "/ws/", "/docs")):
        return None
    response = _page()
    if response.status_code == 200:
        response.status_code = 404
    return response


@allows(Permission.PUBLIC)
def _page(below: str = "") -> Response:
    try:
        response = _file("index.html", ASK_AGAIN)
    except NotFound:
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}
        return Response(MISSING, 503, headers, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _files(folder: str, caching: str) -> Callable[[str], Response]:
    @allows(Permission.PUBLIC)
    def file(name: str) -> Response:
        response = _file(name, caching, folder)
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = PREVIEW_POLICY
        return response

    return file


def _file(name: str, caching: str, folder: str = "") -> Response:
    """Return a file of the bundle, compressed where the client reads that. Raises NotFound."""
    path = safe_join(str(DIST / folder), name)
    kind = TYPES.get(Path(name).suffix)
    if path is None or kind is None or not Path(path).is_file():
        raise NotFound
    chosen, encoding = _encoded(Path(path))
    content = chosen.read_bytes()
    response = Response(content, content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    response.headers["Cache-Control"] = caching
    response.headers["Vary"] = "Accept-Encoding"
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    return response.make_conditional(request)


def _encoded(path: Path) -> tuple[Path, str]:
    """Return the smallest form of the file that the client reads, and its encoding."""
    for encoding, suffix in ENCODINGS:
        smaller = path.with_name(path.name + suffix)
        if request.accept_encodings[encoding] and smaller.is_file():
            return smaller, encoding
    return path, ""
