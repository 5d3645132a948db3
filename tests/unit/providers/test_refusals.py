"""What an HTTP refusal becomes, and how long it asks to wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipelines.providers.refusals import LONGEST_WAIT_S, refusal, retry_after_s
from schemas.errors.providers import ProviderUnavailable, RateLimited
from schemas.errors.requests import InvalidRequest, NotOffered
from schemas.errors.tree import AuraError, Transient


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidRequest),
        (401, NotOffered),
        (402, NotOffered),
        (403, NotOffered),
        (404, NotOffered),
        (408, ProviderUnavailable),
        (409, ProviderUnavailable),
        (413, InvalidRequest),
        (422, InvalidRequest),
        (429, RateLimited),
        (500, ProviderUnavailable),
        (529, ProviderUnavailable),
    ],
)
def test_each_status_is_one_of_our_errors(status: int, error: type[AuraError]) -> None:
    assert type(refusal("Acme", status, {})) is error


def test_an_empty_account_is_not_tried_again() -> None:
    assert not isinstance(refusal("Acme", 429, {}, code="insufficient_quota"), Transient)


def test_the_providers_words_are_quoted_about_the_request_only() -> None:
    assert "too long" in refusal("Acme", 400, {}, "The text is too long.").detail
    assert "sk-123" not in refusal("Acme", 401, {}, "Incorrect key sk-123.").detail
    assert len(refusal("Acme", 400, {}, "x" * 5000).detail) < 300


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1.0),
        ({"Retry-After": "20"}, 20.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"Retry-After": "-5"}, 1.0),
        ({"Retry-After": "nan"}, 1.0),
        ({"Retry-After": "tomorrow"}, 1.0),
        ({"Retry-After": "86400"}, LONGEST_WAIT_S),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_in_its_forms(headers: dict[str, str], seconds: float) -> None:
    assert retry_after_s(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < retry_after_s({"Retry-After": date}) <= 60
