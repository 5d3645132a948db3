"""What a provider's HTTP refusal means to us: try again, and when, or never."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from schemas.errors import AuraError, InvalidRequest, NotOffered, ProviderUnavailable, RateLimited
from schemas.logs import masked

LONGEST_WAIT_S = 600.0
"""Most that a Retry-After is believed: a provider that names a day is asked again sooner."""

_NUMBER = re.compile(r"\d{1,9}(\.\d*)?")
_NO_CREDIT = {"insufficient_quota", "quota_exceeded", "billing_hard_limit_reached"}


def refusal(label: str, status: int, headers: Mapping[str, str], message: str = "", code: str = "") -> AuraError:
    """Return the error for an HTTP `status` of the provider called `label`.

    `message` is the provider's own and is quoted only where it is about the request, never where it
    is about the key. A key that it repeats is covered before it is cut.
    """
    if status == 402 or code in _NO_CREDIT:
        return NotOffered(f"{label} has no credit left on this account.")
    if status in {401, 403}:
        return NotOffered(f"{label} refuses the key that is set.")
    if status in {404, 410}:
        return NotOffered(f"{label} does not know the model or voice that is set.")
    if status == 429:
        return RateLimited(f"{label} asks to slow down.", retry_after_s=retry_after_s(headers))
    if status in {400, 413, 415, 422}:
        return InvalidRequest(f"{label} refused the request: {masked(message)[:200] or 'no reason given'}")
    return ProviderUnavailable(f"{label} failed (HTTP {status}).", retry_after_s=retry_after_s(headers))


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Return the seconds `Retry-After` (or OpenAI's `retry-after-ms`) asks to wait, 1 where it says nothing.

    Reads seconds and dates (RFC 9110 10.2.3); at least 0, at most LONGEST_WAIT_S.
    """
    found = {name.lower(): value.strip() for name, value in headers.items()}
    milliseconds, wait = found.get("retry-after-ms", ""), found.get("retry-after", "")
    if _NUMBER.fullmatch(milliseconds):
        wait_s = float(milliseconds) / 1000
    elif _NUMBER.fullmatch(wait):
        wait_s = float(wait)
    else:
        wait_s = _until(wait)
    return min(max(wait_s, 0.0), LONGEST_WAIT_S)


def _until(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return 1.0
