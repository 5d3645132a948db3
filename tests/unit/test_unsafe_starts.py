"""What AURA refuses to start with."""

import pytest
from pydantic import SecretStr

from schemas.errors.work import CannotStart
from schemas.refusals import is_loopback, refuse_unsafe_start
from schemas.settings import Settings

SECRET = "Zr3nQ0y8mXw2Lk5vBt7cHs1dJf4gPa6uEi9oRz"
SAFE = {"host": "0.0.0.0", "single_tenant": False, "public_url": "https://aura.example.org"}


def settings(**given: object) -> Settings:
    given.setdefault("secret_keys", (SecretStr(SECRET),))
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]


def test_a_safe_deployment_starts() -> None:
    refuse_unsafe_start(settings(**SAFE))
    refuse_unsafe_start(settings(**{**SAFE, "public_url": "", "base_domain": "aura.example.org"}))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_on_loopback_the_person_at_the_machine_is_trusted(host: str) -> None:
    assert is_loopback(host)
    refuse_unsafe_start(settings(host=host, single_tenant=True, secret_keys=()))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "10.0.0.1", "aura.example.org", "127.0.0.1.evil.org"])
def test_single_tenant_mode_stays_on_loopback(host: str) -> None:
    with pytest.raises(CannotStart, match="loopback only"):
        refuse_unsafe_start(settings(**{**SAFE, "host": host, "single_tenant": True}))


@pytest.mark.parametrize(
    ("secrets", "why"),
    [
        ((), "not set"),
        (("short",), "weak"),
        (("a" * 64,), "weak"),
        (("your-secret-key-change-in-production",), "example"),
        ((SECRET, "your-secret-key-change-in-production"), "example"),
        ((SECRET, "changeme-0123456789abcdefghijklmnop"), "example"),
    ],
)
def test_secrets_of_examples_stay_on_loopback(secrets: tuple[str, ...], why: str) -> None:
    with pytest.raises(CannotStart, match=why):
        refuse_unsafe_start(settings(**SAFE, secret_keys=tuple(map(SecretStr, secrets))))


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "aura.example.org"])
def test_mails_need_an_address_that_no_client_chooses(url: str) -> None:
    with pytest.raises(CannotStart, match="AURA_PUBLIC_URL"):
        refuse_unsafe_start(settings(**{**SAFE, "public_url": url}))


def test_secrets_are_listed_by_commas_or_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (f"{SECRET}, other", f'["{SECRET}", "other"]'):
        monkeypatch.setenv("AURA_SECRET_KEYS", text)
        found = [secret.get_secret_value() for secret in Settings(_env_file=None).secret_keys]
        assert found == [SECRET, "other"]
