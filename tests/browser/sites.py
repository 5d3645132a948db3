"""Sites of other origins, which know nothing of AURA but one line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from deploy.ephemeral import Stack
from tests.browser.conftest import Person

PAGE = """<!doctype html><html lang="en"><title>Harbour Museum</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src {server}; connect-src {server} {socket}; img-src data:">
<main><h1>Welcome to the museum</h1><p>Three ships, one harbour.</p></main>
{snippet}</html>"""
WIDGET = "/api/agents/default-assistant/widget"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


@dataclass(frozen=True)
class Site:
    """Where it is, and the folder that it serves."""

    origin: str
    folder: Path

    def shows(self, stack: Stack, person: Person, **change: Any) -> str:
        """Have the site show the widget of somebody's first assistant, and return the widget's id."""
        body = {"is_on": True, "allowed_origins": [self.origin], **change}
        answer = stack.client.patch(WIDGET, json=body, headers=person.headers)
        answer.raise_for_status()
        widget = answer.json()
        page = PAGE.format(server=stack.url, socket=stack.url.replace("http", "ws"), snippet=widget["snippet"])
        (self.folder / "index.html").write_text(page, encoding="utf-8")
        return str(widget["widget_id"])


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """Serve a folder at an origin of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(f"http://127.0.0.1:{server.server_port}", folder)
    server.shutdown()
    server.server_close()
