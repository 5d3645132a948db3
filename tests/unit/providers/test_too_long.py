"""What providers answer where a text is too long for them, in the words of each."""

import pytest

from pipelines.providers.refusals import refusal
from schemas.errors.providers import ProviderUnavailable
from schemas.errors.requests import InputTooLong, InvalidRequest

SAID = [
    (400, "This model's maximum context length is 8192 tokens, however you requested 9000 tokens.", ""),
    (400, "Invalid 'input[0]': maximum input length is 8192 tokens.", ""),
    (400, "Requested 350000 tokens, max 300000 tokens per request", "max_tokens_per_request"),
    (400, "", "context_length_exceeded"),
    (400, "the request exceeds the available context size", "exceed_context_size_error"),
    (500, "input is too large to process. increase the physical batch size", ""),
    (400, "the input length exceeds the context length", ""),
    (413, "Input validation error: `inputs` must have less than 512 tokens. Given: 600", ""),
    (422, "batch size 100 > maximum allowed batch size 32", ""),
    (413, "Payload Too Large", ""),
]


@pytest.mark.parametrize(("status", "message", "code"), SAID)
def test_too_long_is_known_for_what_it_is(status: int, message: str, code: str) -> None:
    assert isinstance(refusal("It", status, {}, message, code), InputTooLong)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Unknown field `contextual`.", InvalidRequest),
        (422, "voice is not valid", InvalidRequest),
        (500, "out of memory", ProviderUnavailable),
        (503, "maximum context length", ProviderUnavailable),
    ],
)
def test_other_refusals_are_what_they_were(status: int, message: str, kind: type[Exception]) -> None:
    assert type(refusal("It", status, {}, message)) is kind
