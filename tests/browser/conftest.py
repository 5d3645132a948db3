"""A whole stack and a real Chromium, and people who come to it."""

import itertools
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, ViewportSize, expect, sync_playwright
from xdist.scheduler import LoadFileScheduling

from deploy.ephemeral import Stack, ephemeral_stack
from tests.browser import chromium
from tests.browser.watch import Watch
from tests.integration.providers.fakes import FarEnd, far_end
from tests.integration.webhooks.receiver import ALLOWED

PASSWORD = "four calm words together"
PATIENCE_MS = 30_000
"""What takes this long beside another suite on two processors is not slow but broken."""

SIGNED_IN = """(() => {{
  if (window.origin !== {origin} || localStorage.getItem("tests.began")) return;
  localStorage.setItem("tests.began", "1");
  localStorage.setItem("aura.session", {kept});
}})()"""
"""Puts a login where the application keeps it, before the first page runs, once: who signs out stays out.

Playwright's own `storage_state` opens another page for that in every context, which takes half a second."""

expect.set_options(timeout=PATIENCE_MS)
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
_addresses = itertools.count(1)


class ByStack(LoadFileScheduling):
    """Gives each process whole files, and all those of a folder whose tests share a stack of their own."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        folder = file.rpartition("/")[0]
        return folder if folder.endswith("/chat") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByStack:
    return ByStack(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was measured, whatever came of it."""
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, figure in report.user_properties:
            terminalreporter.write_line(f"{name}: {figure}")


@dataclass(frozen=True)
class Person:
    """The first admin of an organisation of their own, signed in by the API."""

    email: str
    password: str
    organization: str
    login: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        """Return what a request of theirs to the API carries."""
        return {"Authorization": f"Bearer {self.login['access_token']}"}

    @property
    def kept(self) -> str:
        """Return their login as the application keeps it in the browser (`web/src/api/session.ts`)."""
        return json.dumps(
            {
                "accessToken": self.login["access_token"],
                "expiresAt": (time.time() + self.login["expires_in"]) * 1000,
                "refreshToken": self.login["refresh_token"],
                "userId": self.login["user_id"],
            }
        )


@pytest.fixture(scope="session")
def groq() -> Iterator[FarEnd]:
    """Yield what stands where Groq would: a tenant's own key of theirs is tried there."""
    with far_end() as running:
        yield running


@pytest.fixture(scope="session")
def stack(groq: FarEnd) -> Iterator[Stack]:
    """Yield a stack with many tenants that all browser tests share.

    It believes a proxy about addresses, so that each person comes from one of their own: sign-ups are counted.
    Webhooks may reach the address at which receivers of tests listen.
    """
    settings = {
        "AURA_SINGLE_TENANT": "0",
        "AURA_TRUSTED_PROXIES": "1",
        "AURA_OUTBOUND_ALLOW": f"{ALLOWED}/32",
        "AURA_GROQ_BASE_URL": f"{groq.url}/openai/v1",
    }
    with ephemeral_stack(settings) as running:
        yield running


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    os.environ.update(chromium.node_to_run_with())
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Yield a Chromium; each test opens contexts of its own in it."""
    running = playwright.chromium.launch(executable_path=chromium.executable(), args=chromium.arguments())
    yield running
    running.close()


@pytest.fixture
def new_person(stack: Stack) -> Callable[..., Person]:
    """Return what founds an organisation and returns its admin."""

    def found(organization: str = "Harbour Museum", name: str = "Ada Brandt") -> Person:
        email = f"{secrets.token_hex(6)}@example.org"
        body = {"organization_name": organization, "email": email, "password": PASSWORD, "name": name}
        here = next(_addresses)
        headers = {"X-Forwarded-For": f"10.1.{here // 250}.{here % 250 + 1}"}
        answer = stack.client.post("/api/signup", json=body, headers=headers)
        answer.raise_for_status()
        return Person(email, PASSWORD, organization, answer.json())

    return found


@pytest.fixture
def open_page(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    """Return what opens an address in a browser of its own, in the name of a person or of nobody.

    Each is watched: the test fails where a request left the origin, a script broke, or the content policy was broken.
    Of errors in the console, those that begin with one of `may_say` are expected. Further options are those of
    Playwright's `new_context`; without one nothing moves, as for somebody who asked for that.
    """
    opened: list[tuple[Any, Watch]] = []

    def open_at(
        path: str = "/",
        person: Person | None = None,
        may_say: tuple[str, ...] = (),
        origin: str = stack.url,
        **options: Any,
    ) -> Page:
        options = {"viewport": DESKTOP, "locale": "en-GB", "reduced_motion": "reduce", **options}
        context = browser.new_context(base_url=origin, **options)
        context.set_default_timeout(PATIENCE_MS)
        if person:
            context.add_init_script(SIGNED_IN.format(origin=json.dumps(origin), kept=json.dumps(person.kept)))
        opened.append((context, Watch.over(context, origin, may_say)))
        page = context.new_page()
        page.goto(path)
        return page

    yield open_at
    for context, watch in opened:
        context.close()
        watch.verify()
