"""When a webhook is tried again, and when it is given up. Nothing here looks at a clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from schemas.tables.hooks import DeliveryStatus, DisabledReason

WAITS_S = (5, 300, 1800, 7200, 18_000, 36_000, 36_000)
"""Seconds from a failed try to the next one: eight tries in all, the last about 27.6 hours after the first."""

JITTER = 0.1
"""By what part a wait is made longer or shorter, so that what failed together is not tried together."""

MAX_RETRY_AFTER_S = 86_400
DISABLE_AFTER = timedelta(days=5)
TIMEOUT_S = 15.0
"""For a whole try: look-up, connection, request, and the answer to its end."""

SLOW_S = 1.0
"""A try that takes longer makes its endpoint a slow one."""

GONE = 410
THROTTLED = frozenset({429, 503})


@dataclass(frozen=True)
class Outcome:
    """How a try ended: an HTTP status, or an error where no complete answer came."""

    status_code: int | None = None
    error_code: str | None = None
    error_detail: str | None = None
    retry_after_s: float | None = None

    @property
    def delivered(self) -> bool:
        """Return whether the receiver has taken it: 2xx, and nothing went wrong."""
        return self.error_code is None and self.status_code is not None and 200 <= self.status_code < 300


@dataclass(frozen=True)
class Verdict:
    """What follows from a try: the delivery's state, when it is due again, and whether its endpoint is disabled."""

    status: DeliveryStatus
    due_at: datetime | None = None
    disable: DisabledReason | None = None


def judge(
    outcome: Outcome,
    tries: int,
    now: datetime,
    *,
    chance: float,
    failing_since: datetime | None = None,
    is_test: bool = False,
) -> Verdict:
    """Return what follows from the try that ended `now`, the delivery's `tries`-th, counted from 1.

    `chance` from 0 to 1 says where in the jitter the next try falls. `failing_since` is the first of the
    endpoint's unbroken failures before this one. A test is tried once, and disables nothing.
    """
    if outcome.delivered:
        return Verdict(DeliveryStatus.DELIVERED)
    if is_test:
        return Verdict(DeliveryStatus.FAILED)
    disable = None
    if outcome.status_code == GONE and outcome.error_code is None:
        disable = DisabledReason.GONE
    elif failing_since is not None and now - failing_since >= DISABLE_AFTER:
        disable = DisabledReason.FAILING
    if tries > len(WAITS_S):
        return Verdict(DeliveryStatus.FAILED, disable=disable)
    wait_s = WAITS_S[tries - 1] * (1 + JITTER * (2 * chance - 1))
    if outcome.status_code in THROTTLED and outcome.retry_after_s is not None:
        wait_s = max(wait_s, min(outcome.retry_after_s, MAX_RETRY_AFTER_S))
    return Verdict(DeliveryStatus.PENDING, now + timedelta(seconds=wait_s), disable)


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` asks for (RFC 9110: seconds, or a date); None where it asks for none."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:18])
    try:
        at = parsedate_to_datetime(text)
        # A date without a zone is one in UTC.
        return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
