"""Messages are signed as the reference library expects it, and go to those who asked for them."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from pipelines.webhooks import filters, signing
from schemas.events import EventName
from schemas.tables.hooks import WEBHOOK_EVENTS

BODY = '{"type":"document.processed","data":{"name":"Grüße 🤷"}}'


def test_a_secret_has_the_documented_form() -> None:
    secret = signing.new_secret()
    assert secret.startswith("whsec_") and len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret != signing.new_secret()


def test_each_secret_verifies_and_no_other_does() -> None:
    old, new, foreign = (signing.new_secret() for _ in range(3))
    headers = signing.signed(BODY, "an-id", datetime.now(UTC), [new, old])
    for secret in (old, new):
        assert Webhook(secret).verify(BODY.encode(), headers)["type"] == "document.processed"
    for changed in (
        (foreign, BODY, headers),
        (new, BODY + " ", headers),
        (new, BODY, {**headers, "webhook-id": "another"}),
        (new, BODY, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(changed[0]).verify(changed[1], changed[2])


def test_an_old_message_cannot_be_sent_again_by_somebody_else() -> None:
    secret = signing.new_secret()
    headers = signing.signed(BODY, "an-id", datetime.now(UTC) - timedelta(minutes=6), [secret])
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(BODY, headers)


def test_filters_let_their_events_through() -> None:
    for name in WEBHOOK_EVENTS:
        assert not filters.unknown(filters.matching(name))
    assert filters.unknown(["document.*", "*", "document.processed"]) == []
    never = ["", "document", "document.nothing", "turn.token", "turn.audio", "*.processed", "webhook.test", "**"]
    assert filters.unknown(never) == sorted(never)


def test_what_is_heard_while_it_is_spoken_is_told_to_nobody() -> None:
    spoken = {EventName.TURN_TOKEN, EventName.TURN_AUDIO, EventName.TURN_SENTENCE, EventName.TURN_TRANSCRIPT_PARTIAL}
    assert not spoken & WEBHOOK_EVENTS
