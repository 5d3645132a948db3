"""The schedule of retries is the documented one, to the second, on a clock of the test's own."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.webhooks.schedule import DISABLE_AFTER, Outcome, Verdict, judge, retry_after_s
from schemas.tables.hooks import DeliveryStatus, DisabledReason

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILED = Outcome(500)
DOCUMENTED_S = [0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000]
"""As docs/webhooks.md lists them: seconds from the try before."""


def tries_of(outcome: Outcome, chance: float = 0.5) -> list[datetime]:
    """Return when a delivery is tried that always ends so, each try taking no time."""
    now, moments = START, [START]
    while (verdict := judge(outcome, len(moments), now, chance=chance)).status is DeliveryStatus.PENDING:
        assert verdict.due_at is not None
        now = verdict.due_at
        moments.append(now)
    assert verdict.due_at is None
    return moments


def gaps(moments: list[datetime]) -> list[float]:
    return [0.0, *((later - earlier).total_seconds() for earlier, later in itertools.pairwise(moments))]


@pytest.mark.parametrize(
    "outcome",
    [
        FAILED,
        Outcome(302),
        Outcome(404),
        Outcome(199),
        Outcome(429),
        Outcome(None, "unreachable"),
        Outcome(200, "remote_timeout"),
    ],
    ids=str,
)
def test_whatever_is_no_success_is_tried_eight_times_as_documented(outcome: Outcome) -> None:
    assert gaps(tries_of(outcome)) == DOCUMENTED_S
    assert (tries_of(outcome)[-1] - START).total_seconds() == sum(DOCUMENTED_S) == 99_305


@pytest.mark.parametrize(("chance", "part"), [(0.0, 0.9), (1.0, 1.1)])
def test_jitter_is_a_tenth_at_most(chance: float, part: float) -> None:
    assert gaps(tries_of(FAILED, chance)) == pytest.approx([wait * part for wait in DOCUMENTED_S])


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    assert judge(Outcome(status), 1, START, chance=0.5) == Verdict(DeliveryStatus.DELIVERED)


@pytest.mark.parametrize(
    ("status", "asked_s", "waited_s"),
    [(429, 60, 60), (503, 60, 60), (429, 1, 5), (429, 10**9, 86_400), (500, 60, 5), (429, None, 5)],
)
def test_retry_after_only_makes_the_wait_longer_and_a_day_at_most(
    status: int, asked_s: float | None, waited_s: float
) -> None:
    verdict = judge(Outcome(status, retry_after_s=asked_s), 1, START, chance=0.5)
    assert verdict.due_at == START + timedelta(seconds=waited_s)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 12:01:00 -0000", 60),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("9" * 400, float("9" * 18)),
        ("-1", None),
        ("²", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, START) == seconds


def test_gone_disables_and_keeps_what_waits() -> None:
    verdict = judge(Outcome(410), 1, START, chance=0.5)
    assert (verdict.status, verdict.disable) == (DeliveryStatus.PENDING, DisabledReason.GONE)


def test_five_days_of_failure_disable_and_a_moment_less_does_not() -> None:
    for since, disable in ((START - DISABLE_AFTER, DisabledReason.FAILING), (START - DISABLE_AFTER * 0.999, None)):
        assert judge(FAILED, 3, START, chance=0.5, failing_since=since).disable is disable
    assert judge(Outcome(200), 3, START, chance=0.5, failing_since=START - DISABLE_AFTER).disable is None


def test_a_test_is_tried_once_and_disables_nothing() -> None:
    verdict = judge(Outcome(410), 1, START, chance=0.5, failing_since=START - DISABLE_AFTER, is_test=True)
    assert verdict == Verdict(DeliveryStatus.FAILED)
