"""One try of a webhook: signed, sent, and described as it may be kept."""

import random
from datetime import UTC, datetime

from pipelines import outbound
from pipelines.outbound import Answer
from pipelines.outbound.addresses import Allowed
from pipelines.stores.webhooks.work import Claimed, Try
from pipelines.webhooks import signing
from pipelines.webhooks.schedule import THROTTLED, TIMEOUT_S, Outcome, retry_after_s
from schemas.errors.tree import AuraError

READ_BYTES, KEPT_BYTES, KEPT_HEADERS = 65_536, 4096, 40
AGENT = "AURA-Webhooks"
MASKED = "…"


async def tried(client: outbound.Client, allowed: Allowed, claimed: Claimed) -> Try:
    """Send a delivery once and return how it went. Whatever the receiver does, this ends within TIMEOUT_S."""
    at = datetime.now(UTC)
    kept: dict[str, str] = {}
    answer: Answer | None = None
    try:
        own = claimed.headers()
        plain = {"Content-Type": "application/json", "User-Agent": AGENT}
        signed = signing.signed(claimed.body, str(claimed.event_id), at, claimed.secrets(at))
        kept = {**plain, **dict.fromkeys(own, MASKED), **signed, signing.SIGNATURE: MASKED}
        target = outbound.vetted(claimed.endpoint.url, allowed)
        headers, content = {**own, **plain, **signed}, claimed.body.encode()
        answer = await client.send("POST", target, headers, content, timeout_s=TIMEOUT_S, max_bytes=READ_BYTES)
        ended_at = datetime.now(UTC)
        outcome = _outcome(answer, ended_at)
    except AuraError as error:
        ended_at = datetime.now(UTC)
        status = error.facts.get("status")
        outcome = Outcome(status if isinstance(status, int) else None, error.code, error.detail)
    return Try(
        claimed,
        at,
        ended_at,
        outcome,
        random.random(),
        kept,
        _kept_headers(answer) if answer else {},
        _text(answer.body[:KEPT_BYTES]) if answer else "",
    )


def _outcome(answer: Answer, now: datetime) -> Outcome:
    retry = retry_after_s(answer.header("retry-after"), now) if answer.status in THROTTLED else None
    return Outcome(answer.status, retry_after_s=retry)


def _kept_headers(answer: Answer) -> dict[str, str]:
    return {_text(name.encode())[:100]: _text(value.encode())[:200] for name, value in answer.headers[:KEPT_HEADERS]}


def _text(raw: bytes) -> str:
    """Return bytes as text that Postgres keeps."""
    return raw.decode(errors="replace").replace("\0", "\ufffd")


def broken(claimed: Claimed) -> Try:
    """Return a try that ended by a fault of ours: it counts, so that it is not made for ever."""
    now = datetime.now(UTC)
    return Try(claimed, now, now, Outcome(None, AuraError.code, "Something went wrong on our side."), 0.5, {})
