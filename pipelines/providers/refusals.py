"""What a provider's HTTP refusal means to us: try again, and when, or never."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from schemas.errors.providers import ProviderUnavailable, RateLimited
from schemas.errors.requests import InputTooLong, InvalidRequest, NotOffered
from schemas.errors.tree import AuraError
from schemas.logs import masked

LONGEST_WAIT_S = 600.0
"""Most that a Retry-After is believed: a provider that names a day is asked again sooner."""

_NUMBER = re.compile(r"\d{1,9}(\.\d*)?")
_TOO_LONG_CODES = {
    "context_length_exceeded",
    "exceed_context_size_error",
    "max_tokens_per_request",
    "string_above_max_length",
    "array_above_max_length",
}
_TOO_LONG = re.compile(
    r"context (?:length|size|window)|maximum (?:input|sequence|prompt) length|max_tokens_per_request"
    r"|max(?:imum)? (?:\d+ )?tokens per request|must have less than \d+ tokens|input is too (?:large|long)"
    r"|input(?: text)? (?:length )?exceeds|too many (?:input )?tokens|maximum allowed batch size|payload too large",
    re.IGNORECASE,
)
"""How OpenAI, vLLM, llama.cpp, Ollama and Text Embeddings Inference say that they cannot read so much at once."""

_NO_CREDIT = {"insufficient_quota", "quota_exceeded", "billing_hard_limit_reached"}


def refusal(label: str, status: int, headers: Mapping[str, str], message: str = "", code: str = "") -> AuraError:
    """Return the error for an HTTP `status` of the provider called `label`.

    `message` is the provider's own and is quoted only where it is about the request, never where it
    is about the key. A key that it repeats is covered before it is cut.
    """
    if status in {401, 402, 403, 404, 410} or code in _NO_CREDIT:
        return _not_offered(label, status, code)
    if status == 429:
        return RateLimited(f"{label} asks to slow down.", retry_after_s=retry_after_s(headers))
    said = masked(message)[:200] or "no reason given"
    if status in {400, 413, 422, 500} and (code in _TOO_LONG_CODES or _TOO_LONG.search(message)):
        return InputTooLong(f"{label} cannot read so much at once: {said}")
    if status in {400, 413, 415, 422}:
        return InvalidRequest(f"{label} refused the request: {said}")
    return ProviderUnavailable(f"{label} failed (HTTP {status}).", retry_after_s=retry_after_s(headers))


def _not_offered(label: str, status: int, code: str) -> NotOffered:
    if status == 402 or code in _NO_CREDIT:
        return NotOffered(f"{label} has no credit left on this account.")
    if status in {401, 403}:
        return NotOffered(f"{label} refuses the key that is set.")
    return NotOffered(f"{label} does not know the model or voice that is set.")


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
