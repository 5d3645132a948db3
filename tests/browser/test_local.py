"""The application as `make demo` leaves it: one organisation, and nobody has to sign in."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack, wait_until
from deploy.places import REPO, free_port


@pytest.fixture(scope="module")
def local_url(stack: Stack) -> Iterator[str]:
    """Yield the address of a second web process of the stack, in single-tenant mode."""
    port = free_port()
    told = {"AURA_SINGLE_TENANT": "1", "AURA_PORT": str(port), "AURA_DATA_DIR": str(stack.data_dir)}
    command = [Path(sys.executable).with_name("gunicorn"), "-c", "deploy/gunicorn.conf.py", "api:create_app()"]
    with subprocess.Popen(command, cwd=REPO, env={**os.environ, **stack.runtime(), **told}) as door:
        try:
            wait_until(lambda: _answers(port), 60, "the second web process answers")
            yield f"http://127.0.0.1:{port}"
        finally:
            door.terminate()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_who_opens_it_is_in_and_may_still_sign_in(open_page: Callable[..., Page], local_url: str) -> None:
    page = open_page("/", origin=local_url)
    expect(page).to_have_url(f"{local_url}/app")
    expect(page.get_by_role("heading", level=1, name="Hello")).to_be_visible()
    expect(page.get_by_role("link", name="Administration")).to_be_visible()
    page.get_by_role("button", name="Account: This machine").click()
    page.get_by_role("menuitem", name="Sign in").click()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_focused()
