"""A sealed secret opens for its owner, its purpose and a known key, and for nothing else."""

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest

from pipelines.stores import sealing
from schemas.errors.callers import Unsealable
from schemas.settings import get_settings

OLD, NEW = "the-old-secret-that-is-long-enough-to-be-one", "the-new-secret-that-is-long-enough-to-be-one"
OWNER = UUID(int=7)


def forget() -> None:
    get_settings.cache_clear()
    sealing._keys.cache_clear()


@pytest.fixture
def keys() -> Iterator[Callable[[str], None]]:
    """Yield what sets AURA_SECRET_KEYS for this process."""
    with pytest.MonkeyPatch.context() as patch:

        def given(secrets: str) -> None:
            patch.setenv("AURA_SECRET_KEYS", secrets)
            forget()

        given(OLD)
        yield given
    forget()


def test_what_was_sealed_opens_again(keys: Callable[[str], None]) -> None:
    for secret in ("sk-1234", "", "ключ 🔑", "x" * 10_000):
        assert sealing.unseal(sealing.seal(secret, OWNER, "mail"), OWNER, "mail") == secret


def test_nothing_of_the_secret_is_seen_and_no_two_are_alike(keys: Callable[[str], None]) -> None:
    first, second = (sealing.seal("sk-canary", OWNER, "mail") for _ in range(2))
    assert first != second
    assert "canary" not in first


@pytest.mark.parametrize(("owner", "purpose"), [(uuid4(), "mail"), (OWNER, "provider_key:openai"), ("deployment", "")])
def test_it_opens_for_nobody_and_nothing_else(keys: Callable[[str], None], owner: UUID | str, purpose: str) -> None:
    with pytest.raises(Unsealable):
        sealing.unseal(sealing.seal("sk-1234", OWNER, "mail"), owner, purpose)


def test_every_changed_character_is_noticed(keys: Callable[[str], None]) -> None:
    sealed = sealing.seal("sk-1234", OWNER, "mail")
    body = sealed.rindex(".") + 1
    # The last character before the padding carries bits that base64 drops.
    for at in range(body, len(sealed.rstrip("=")) - 1):
        other = "A" if sealed[at] != "A" else "B"
        with pytest.raises(Unsealable):
            sealing.unseal(sealed[:at] + other + sealed[at + 1 :], OWNER, "mail")


@pytest.mark.parametrize("damaged", ["", "v1", "v1.x.y", "v1..", "v2.{id}.{body}", "v1.{id}.", "v1.{id}.AAAA", "..é"])
def test_what_is_no_sealed_secret_is_named_so(keys: Callable[[str], None], damaged: str) -> None:
    _, key_id, body = sealing.seal("sk-1234", OWNER, "mail").split(".")
    with pytest.raises(Unsealable):
        sealing.unseal(damaged.format(id=key_id, body=body), OWNER, "mail")


def test_old_secrets_open_while_the_newest_seals(keys: Callable[[str], None]) -> None:
    old = sealing.seal("sk-1234", OWNER, "mail")
    assert sealing.is_current(old)

    keys(f"{NEW},{OLD}")
    assert sealing.unseal(old, OWNER, "mail") == "sk-1234"
    assert not sealing.is_current(old)
    again = sealing.seal("sk-1234", OWNER, "mail")
    assert sealing.is_current(again)

    keys(NEW)
    assert sealing.unseal(again, OWNER, "mail") == "sk-1234"
    with pytest.raises(Unsealable):
        sealing.unseal(old, OWNER, "mail")


def test_without_a_secret_nothing_is_kept(keys: Callable[[str], None]) -> None:
    keys("")
    with pytest.raises(Unsealable, match="AURA_SECRET_KEYS"):
        sealing.seal("sk-1234", OWNER, "mail")
