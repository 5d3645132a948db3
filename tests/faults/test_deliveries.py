"""A message says that there may be work, no more: twice, late or out of order, it changes nothing."""

import json
from collections.abc import Callable

from deploy.ephemeral import Stack, wait_until
from tests.faults import inside, texts
from tests.faults.provider import Provider
from tests.faults.receiver import Receiver
from tests.faults.uploads import all_processed, upload


def test_messages_and_sweeps_without_end_have_no_second_effect(
    stack: Stack, provider: Provider, receiver: Receiver, run: str, say: Callable[[str], None]
) -> None:
    endpoint = {"url": receiver.url, "events": ["document.*"]}
    assert stack.client.post("/api/webhooks", json=endpoint).status_code == 201
    provider.delay_s = 0.2
    found = upload(stack, texts.many(run, 40))
    storm = inside.begin(stack, "storm", *found.values())
    all_processed(stack, list(found.values()), 150)
    provider.delay_s = 0
    sent = json.loads(storm.communicate(timeout=60)[0])
    say(f"{sent} messages for {len(found)} documents")
    assert sent > 100
    all_processed(stack, list(found.values()))
    with stack.database() as connection:
        versions = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE v.version = 1 AND v.embedded_count = d.chunks_count)"
            " FROM documents d JOIN document_versions v USING (tenant_id, doc_id) WHERE d.doc_id = ANY (%s::uuid[])",
            (list(found.values()),),
        ).fetchone()
        assert versions == (len(found), len(found))
    asked = [text for one in provider.asked for text in one.texts if run in text]
    assert len(asked) == len(set(asked)), "a text was embedded twice"

    def told() -> list[str]:
        return sorted(d["doc_id"] for d in receiver.of("document.processed") if d["doc_id"] in found.values())

    wait_until(lambda: len(told()) >= len(found), 60, "the webhooks of all documents")
    assert told() == sorted(found.values())
