"""A secret that this process knows is covered in whatever it logs, and nothing else is."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from schemas import logs
from schemas.settings import get_settings

CANARY = 'canary-"quoted\\key"-0123456789'
FREED = "the-first-of-too-many-secrets"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave no secret and no closed stream behind."""
    yield
    logs._secrets.clear()
    structlog.reset_defaults()
    logs.configure_logs()


def test_no_log_line_shows_a_hidden_secret(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    logs.configure_logs()
    logs.hide(CANARY)
    log = structlog.get_logger()
    try:
        try:
            raise ValueError(f"the far end said: {CANARY}")
        except ValueError as error:
            raise RuntimeError("broken") from error
    except RuntimeError:
        log.exception("task broke", detail=f"with {CANARY}", nested={"keys": [CANARY, (CANARY,)]}, number=7)
        logging.getLogger("library").exception("it broke: %s", CANARY)
    out, err = capsys.readouterr()
    line = json.loads(out)
    assert "canary" not in out + err
    assert (line["detail"], line["nested"], line["number"]) == (
        "with [secret]",
        {"keys": ["[secret]", ["[secret]"]]},
        7,
    )
    assert "the far end said: [secret]" in line["exception"]
    assert "it broke: [secret]" in err
    assert "the far end said: [secret]" in err


def test_the_deployments_own_secrets_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-deployment-canary")
    monkeypatch.setenv("AURA_SMTP_URL", "smtp://ada:p%40ssword-canary@mail.example.org")
    monkeypatch.setenv("AURA_SECRET_KEYS", "first-canary-secret,second-canary-secret")
    get_settings.cache_clear()
    logs.configure_logs()
    text = "gsk-deployment-canary p@ssword-canary first-canary-secret second-canary-secret"
    assert logs.masked(text) == "[secret] [secret] [secret] [secret]"
    monkeypatch.undo()
    get_settings.cache_clear()


def test_what_only_we_write_cannot_be_blotted_out() -> None:
    tenant_id = "29d9620b-5ac4-4ffc-8261-e8f41036b877"
    logs.hide(tenant_id)
    logs.hide("short")
    line = logs.mask_secrets(None, "info", {"tenant_id": tenant_id, "detail": f"{tenant_id} is short"})
    assert line == {"tenant_id": tenant_id, "detail": "[secret] is short"}


def test_a_secret_that_begins_another_does_not_uncover_it() -> None:
    logs.hide("sk-begin-1234")
    logs.hide("sk-begin-1234-and-the-rest")
    assert logs.masked("key: sk-begin-1234-and-the-rest.") == "key: [secret]."


def test_the_secrets_last_used_stay_hidden() -> None:
    logs.hide(FREED)
    logs.hide("a-secret-in-use")
    for number in range(logs.MAX_SECRETS + 100):
        logs.hide(f"another-secret-{number}")
        if number % 100 == 0:
            logs.hide("a-secret-in-use")
        if number > logs.MAX_SECRETS - 100:
            assert logs.masked("a-secret-in-use") == "[secret]"
    assert logs.masked(FREED) == FREED
