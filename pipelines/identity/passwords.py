"""Passwords: argon2id (RFC 9106), the first choice of OWASP's password storage cheat sheet (46 MiB, one pass)."""

import threading
from functools import lru_cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from schemas.errors.requests import InvalidRequest

MIN_CHARS, MAX_CHARS = 10, 256
_hasher = PasswordHasher(time_cost=1, memory_cost=46 * 1024, parallelism=1, type=Type.ID)
# Each hash holds 46 MiB: a crowd at the door must not exhaust the memory of this process.
_places = threading.BoundedSemaphore(4)


def check(password: str, *known: str) -> str:
    """Return a password that may be used. Raises InvalidRequest.

    Long enough, and not one of the words `known` to everybody, such as the e-mail (NIST SP 800-63B:
    length, no rules of composition).
    """
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise InvalidRequest(f"A password has {MIN_CHARS} to {MAX_CHARS} characters.")
    if password.casefold() in {word.casefold() for word in known if word} or len(set(password)) < 4:
        raise InvalidRequest("This password is too easy to guess.")
    return password


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    with _places:
        return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Return whether this is the password. Without a kept hash it takes as long, and is not."""
    with _places:
        try:
            _hasher.verify(kept or _nobodys(), password[: MAX_CHARS + 1])
        except (VerifyMismatchError, InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Return whether the hash was made with other costs than today's."""
    return _hasher.check_needs_rehash(kept)


@lru_cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody")
